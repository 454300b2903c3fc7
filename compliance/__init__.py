"""Levels, limits and usage; later screening, monitoring, cases, consents. Knows parties and plain facts, never wallets."""
