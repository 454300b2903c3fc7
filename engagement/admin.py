"""Staff's pages of this app."""

from engagement.webhooks import admin as webhooks_admin

__all__ = ["webhooks_admin"]
