"""Making the files that a deployment needs (docs/operations.md)."""
