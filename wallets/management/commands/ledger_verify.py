"""Check the whole ledger; exit 1 and a list when something is wrong."""

from __future__ import annotations

from typing import Any

from core.db import SYSTEM, scope
from core.management.output import HubCommand
from wallets.verify import verify


class Command(HubCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        with scope(SYSTEM):
            report = verify()
        self.say(report.document(), as_json=options["json"])
        if not report.ok:
            self.fail(f"The ledger has {len(report.problems)} problems.", code=1)
