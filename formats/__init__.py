"""
The outside world's formats as pure functions: no Django, no database. `lists` reads sanctions lists, `statements` writes and
reads account statements (CSV, OFX, CAMT.053).

Other banks' statement files, e-invoices and payment QR codes will live here too.
"""
