"""Gateways, top-ups, transfers, refunds and webhooks; later payouts, requests, QR, merchants, bills and disputes."""
