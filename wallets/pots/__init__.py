"""Pots: named parts of a wallet, each with a ledger account of its own. Source: docs/ledger.md, "Pots"."""
