"""Take down that the operator's own money left the account that holds people's, or was put in; the bank has moved it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from core import clock
from core.db import SYSTEM, scope
from core.errors import HubError
from core.management.output import HubCommand
from core.money import Money
from wallets.safeguarding.services import own_money_move


class Command(HubCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--provider", required=True, help="stripe, bank")
        parser.add_argument("--amount", required=True, type=int, help="in minor units")
        parser.add_argument("--currency", required=True)
        parser.add_argument("--key", required=True, help="names this one movement (the bank's reference): repeated, nothing moves twice")
        parser.add_argument("--inward", action="store_true", help="the operator put money in, to make a loss good")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with scope(SYSTEM):
                moved = own_money_move(
                    provider=options["provider"],
                    amount=Money(options["amount"], options["currency"].upper()),
                    inward=options["inward"],
                    by=None,
                    idempotency_key=options["key"],
                    now=clock.now(),
                )
        except HubError as error:
            refusal = {"error": {"code": error.code, "message": str(error.message)}}
            self.fail(str(error.message), code=2, document=refusal, as_json=options["json"])
        self.say({"transfer": moved.id, "replayed": moved.replayed}, as_json=options["json"])
