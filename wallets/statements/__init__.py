"""Statements of a wallet for any period: on a page, as PDF, CSV, OFX and CAMT.053. Source: docs/statements.md."""
