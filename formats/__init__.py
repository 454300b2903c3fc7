"""The outside world's formats as pure functions (no Django, no database): statements, ISO 20022, e-invoices and payment QR codes will live here."""
