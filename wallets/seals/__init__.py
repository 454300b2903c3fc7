"""Seals: a tree of hashes over all transfers and a chain over its roots; proofs that a person can check without us. docs/seals.md."""
