"""Check the whole ledger and all its seals; exit 1 and a list when something is wrong."""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import CommandParser

from core.db import SYSTEM, scope
from core.management.output import HubCommand
from wallets.verify import verify

_CHAIN = re.compile(r"[0-9a-fA-F]{64}")


class Command(HubCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            metavar="NUMBER:CHAIN",
            help="a seal that was noted elsewhere; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with scope(SYSTEM):
            report = verify(self._heads(options["head"]))
        self.say(report.document(), as_json=options["json"])
        if not report.ok:
            self.fail(f"The ledger has {len(report.problems)} problems.", code=1)

    def _heads(self, noted: list[str]) -> dict[int, str]:
        found = {}
        for text in noted:
            number, _, chain = text.partition(":")
            if not number.isdecimal() or not _CHAIN.fullmatch(chain):
                self.fail(f"Not a seal: {text}. It is a number, a colon and 64 hexadecimal digits.", code=2)
            found[int(number)] = chain
        return found
