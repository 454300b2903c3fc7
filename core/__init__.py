"""Money, rates, clock, errors, database scope, events, due work, idempotency, crypto, audit, privacy and API plumbing. Knows no app."""
