"""`manage.py feed_rebuild [--party ID]`: the feed made anew from the payments; what people chose stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from budgeting.services import feed_rebuild
from core.db import SYSTEM, scope
from core.management.output import HubCommand


class Command(HubCommand):
    help = "Make the feed anew from the payments, for everybody or for one party. Categories that people chose stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--party", help="the id of one party")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            party_id = UUID(options["party"]) if options["party"] else None
        except ValueError:
            self.fail(f"{options['party']} is not an id.", code=2)
        with scope(SYSTEM):
            self.say({"payments": feed_rebuild(party_id=party_id)}, as_json=options["json"])
