"""The day's safeguarding report, made if there is none; exit 1 when something differs."""

from __future__ import annotations

from typing import Any

from core import clock
from core.db import SYSTEM, scope
from core.management.output import HubCommand
from wallets.safeguarding import selectors, services


class Command(HubCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        with scope(SYSTEM):
            report = services.report_make(now=clock.now())
            names = ("client_money", "people", "suspense", "difference")
            lines = {line.currency: {name: getattr(line, name) for name in names} for line in report.lines.order_by("currency")}
            places = [
                {
                    "provider": place.provider,
                    "currency": place.currency,
                    "ledger": place.ledger,
                    "reported": place.reported,
                    "state": place.state,
                }
                for place in report.places.order_by("provider", "currency")
            ]
            wrong = {key: minor for key, minor in selectors.differences(report).items() if minor}
        self.say({"on": report.on, "at": report.at, "ok": not wrong, "currencies": lines, "providers": places}, as_json=options["json"])
        if wrong:
            self.fail(f"{len(wrong)} figures differ.", code=1)
