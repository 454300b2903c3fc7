"""Money of people kept apart from the operator's own, and the daily proof that it is all there. Source: docs/safeguarding.md."""
