"""Compare an account with a statement file; exit 1 when they differ."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from core import clock
from core.db import SYSTEM, scope
from core.errors import HubError
from core.management.output import HubCommand
from wallets.reconciliation import services


class Command(HubCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="CAMT.053, OFX or the hub's own CSV")
        parser.add_argument("--account", required=True, help="a system account's code, a wallet's or pot's id, or an account's number")
        parser.add_argument("--currency", default="", help="for a code: EUR")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = Path(options["file"]).read_bytes()
        except OSError as error:
            self.fail(f"The file cannot be read: {error.strerror}", code=2)
        try:
            with scope(SYSTEM):
                account = services.account_find(options["account"], options["currency"].upper())
                run = services.reconcile(account=account, data=data, by=None, now=clock.now())
        except HubError as error:
            refusal = {"error": {"code": error.code, "message": str(error.message), **error.extra}}
            self.fail(str(error.message), code=2, document=refusal, as_json=options["json"])
        counts = {name: getattr(run, name) for name in ("matched", "missing", "extra", "different")}
        closing = {"file": run.closing_theirs, "ledger": run.closing_ours}
        document = {"run": run.id, "account": run.account, "currency": run.currency, "since": run.since, "until": run.until}
        self.say({**document, "closing": closing, **counts}, as_json=options["json"])
        if run.missing or run.extra or run.different or run.closing_theirs not in (None, run.closing_ours):
            self.fail("The account and the file differ; the differences are in the work list.", code=1)
