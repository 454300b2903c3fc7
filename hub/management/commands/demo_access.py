"""Print who can sign in to the demo (development only)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings

from core.management.output import HubCommand


class Command(HubCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            self.fail("The demo is for development.", code=2)
        from hub import demo

        access = demo.access_read()
        if access is None:
            self.fail("The demo is not loaded; `make run` loads it.", code=1)
        self.say(asdict(access), as_json=options["json"])
