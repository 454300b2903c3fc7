"""The ledger, wallets and their pots, statements, reconciliation and safeguarding; later exchange and loyalty cards."""
