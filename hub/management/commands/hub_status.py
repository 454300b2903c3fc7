"""What of the hub runs on this machine."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hub.runtime.status import status


class Command(BaseCommand):
    help = "Show the running hub's address and processes. Exit code 1: it does not run, or is not ready yet."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        found = status(os.environ)
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            self.stdout.write(f"{found['url'] or 'not running'}{'' if found['ready'] else ' (not ready)'}")
            for process in found["processes"]:
                self.stdout.write(f"  {process['pid']:>8}  {process['name']}")
        if not found["ready"]:
            sys.exit(1)
