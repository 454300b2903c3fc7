"""An account beside an external statement of it: what matches, and a work list for what does not. Source: docs/statements.md."""
