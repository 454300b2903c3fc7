"""Webhooks to partners: what happened to the parties they act for, signed by Standard Webhooks. Source: docs/webhooks.md."""
