from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EngagementConfig(AppConfig):
    name = "engagement"
    label = "engagement"
    verbose_name = _("Notices and webhooks")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from engagement import privacy, tasks  # noqa: F401  (both register themselves on import)
