from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ComplianceConfig(AppConfig):
    name = "compliance"
    label = "compliance"
    verbose_name = _("Compliance")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.staff_groups import rights_register
        from compliance import privacy  # noqa: F401

        reading = ("compliance.view_partylevel", "compliance.view_limitrule", "compliance.view_usage")
        rights_register("support", *reading)
        rights_register("compliance", *reading, "compliance.add_partylevel", "compliance.add_limitrule")
