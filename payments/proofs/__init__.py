"""The proofs of a payment: for each movement of the ledger that it made, where its party can see it."""
