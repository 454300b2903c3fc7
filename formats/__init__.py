"""
The outside world's formats as pure functions: no Django, no database. `lists` reads sanctions lists.

Bank statements, ISO 20022, e-invoices and payment QR codes will live here too.
"""
