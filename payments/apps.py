from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"
    label = "payments"
    verbose_name = _("Payments")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.approvals import details_register, kind_title_register
        from accounts.staff_groups import rights_register
        from payments import privacy, tasks  # noqa: F401
        from payments.bills import tasks as bill_tasks  # noqa: F401
        from payments.bills import words

        kind_title_register("bill", _("Set up a bill"))
        kind_title_register("bill_change", _("Change a bill"))
        for kind in ("payout", "bill", "bill_change"):
            details_register(kind, words.approval_details)

        reading = (
            "payments.view_payment",
            "payments.view_paymentstep",
            "payments.view_providerlink",
            "payments.view_bill",
            "payments.view_billrun",
            "payments.view_mismatch",
        )
        rights_register("support", *reading)
        rights_register("compliance", *reading)
        # To change a payment is to reverse or refund it; nothing else can be changed.
        rights_register("operations", *reading, "payments.change_payment", "payments.change_mismatch", "payments.view_providerevent")
