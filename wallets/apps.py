from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from core import db

for table in ("ledger_account", "ledger_transfer", "ledger_entry", "ledger_hold", "ledger_seal", "ledger_seal_block", "ledger_seal_state"):
    db.read_only(table)


class WalletsConfig(AppConfig):
    name = "wallets"
    label = "wallets"
    verbose_name = _("Wallets")
    default_auto_field = "django.db.models.BigAutoField"
    # What the application's role may execute; functions that start with an underscore stay the owner's.
    sql_function_prefixes = ("ledger_",)

    def ready(self) -> None:
        from accounts.staff_groups import rights_register
        from wallets import privacy, tasks  # noqa: F401
        from wallets.safeguarding import tasks as safeguarding_tasks  # noqa: F401
        from wallets.seals import tasks as seals_tasks  # noqa: F401

        ledger = [f"wallets.view_ledger{name}" for name in ("account", "transfer", "entry", "hold", "seal")]
        rights_register("support", "wallets.view_wallet", "wallets.view_pot")
        rights_register("compliance", "wallets.view_wallet", "wallets.view_pot", *ledger)
        checking = ("wallets.view_reconciliationrun", "wallets.view_reconciliationitem", "wallets.view_safeguardingreport")
        rights_register("compliance", *checking)
        rights_register("operations", *ledger, *checking, "wallets.add_reconciliationrun", "wallets.change_reconciliationitem")
        rights_register("operations", "wallets.view_safeguardingline", "wallets.view_safeguardingplace")
        rights_register("compliance", "wallets.view_safeguardingline", "wallets.view_safeguardingplace")
