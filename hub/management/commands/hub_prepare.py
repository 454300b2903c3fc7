"""
What `make run` does before the hub serves: migrate, then load the demo. One process for all of it, because loading Django
is most of the work.

Prints JSON lines: `{"migrated": true}`, then `{"demo": what demo_access prints, "demo_loaded": true}`. A demo that does not load
is told on standard error and stops nothing.
"""

from __future__ import annotations

import io
import json
import traceback
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrate and load the demo (part of `make run`)."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1, stdout=self.stderr)
        self._line({"migrated": True})
        if settings.PRODUCTION:
            self._line({"demo": {}, "demo_loaded": True})
            return
        loaded = self._try("demo_load", stdout=self.stderr)
        said = io.StringIO()
        known = self._try("demo_access", json=True, stdout=said)
        self._line({"demo": json.loads(said.getvalue()) if known else {}, "demo_loaded": loaded})

    def _try(self, command: str, **options: Any) -> bool:
        try:
            call_command(command, **options)
        except (Exception, SystemExit):  # whatever is wrong with the demo, the hub is still worth having
            self.stderr.write(traceback.format_exc())
            return False
        return True

    def _line(self, document: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(document))
        self.stdout.flush()
