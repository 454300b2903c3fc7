"""Credit score, loans, peer lending, investing and insurance will live here."""
