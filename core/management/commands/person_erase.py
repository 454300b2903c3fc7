"""Erase a party's personal data for good: clear columns, then its data key."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from core import clock, privacy
from core.db import SYSTEM, scope
from core.errors import HubError
from core.management.output import HubCommand


class Command(HubCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="the id of a person or of a party")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            party_id = UUID(options["id"])
        except ValueError:
            self.fail(f"{options['id']!r} is not an id.", code=2)
        try:
            with scope(SYSTEM):
                party_id = privacy.owner_of(party_id)
                document = {"party": str(party_id), "erased": privacy.erase(party_id, now=clock.now())}
        except HubError as error:
            self.fail(str(error), code=2)
        self.say(document, as_json=options["json"])
