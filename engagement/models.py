from engagement.notifications.models import Notice, Preference
from engagement.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret, WebhookTry

__all__ = ["Notice", "Preference", "WebhookDelivery", "WebhookEndpoint", "WebhookSecret", "WebhookTry"]
