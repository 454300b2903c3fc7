from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BudgetingConfig(AppConfig):
    name = "budgeting"
    label = "budgeting"
    verbose_name = _("Budgeting")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from budgeting import privacy, tasks  # noqa: F401
