from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ComplianceConfig(AppConfig):
    name = "compliance"
    label = "compliance"
    verbose_name = _("Compliance")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.staff_groups import rights_register
        from compliance import privacy, tasks  # noqa: F401
        from compliance.identity import privacy as identity_privacy  # noqa: F401

        reading = ("compliance.view_partylevel", "compliance.view_limitrule", "compliance.view_usage")
        lists = ("compliance.view_sanctionslist", "compliance.view_listentry", "compliance.view_listname")
        rights_register("support", *reading)
        rights_register("compliance", *reading, *lists, "compliance.add_partylevel", "compliance.add_limitrule")
        rights_register("compliance", "compliance.view_identitydata", "compliance.change_identitydata")
        # Only compliance learns of verdicts and cases: telling a person of a suspicion is forbidden, so few may know of one.
        screening = ("compliance.view_verdict", "compliance.view_clearance", "compliance.view_case", "compliance.view_caseitem")
        rights_register("compliance", *screening, "compliance.change_case")
