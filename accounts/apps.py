from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    label = "accounts"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import privacy, signals, staff_groups  # noqa: F401  (the first two register themselves on import)

        post_migrate.connect(staff_groups.after_migrate, dispatch_uid="accounts.staff_groups")
