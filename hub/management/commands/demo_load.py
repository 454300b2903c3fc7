"""Make the demo's people, parties and money where they are missing (development only)."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from core.db import SYSTEM, scope
from core.management.output import HubCommand


class Command(HubCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            self.fail("The demo is for development.", code=2)
        from hub import demo

        with scope(SYSTEM):
            access = demo.load()
        self.say({"people": len(access.people), "staff": len(access.staff)}, as_json=options["json"])
