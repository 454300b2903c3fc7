"""The ledger, wallets and holds; later pots, exchange, statements, proofs and loyalty cards."""
