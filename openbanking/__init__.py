"""Connections to other banks, imported files and partners' consented access will live here."""
