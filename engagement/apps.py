from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EngagementConfig(AppConfig):
    name = "engagement"
    label = "engagement"
    verbose_name = _("Notices and webhooks")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.staff_groups import rights_register
        from engagement import privacy, tasks  # noqa: F401  (both register themselves on import)

        reading = ("engagement.view_webhookendpoint", "engagement.view_webhookdelivery")
        rights_register("support", *reading)
        changing = ("engagement.add_webhookendpoint", "engagement.change_webhookendpoint", "engagement.change_webhookdelivery")
        rights_register("operations", *reading, *changing)
