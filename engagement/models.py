from engagement.notifications.models import Notice, Preference

__all__ = ["Notice", "Preference"]
