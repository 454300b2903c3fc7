"""What the operator's commands share: JSON on standard output, problems on standard error, exit codes 0, 1 and 2."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db.utils import OperationalError, ProgrammingError


class HubCommand(BaseCommand):
    """A command with `--json`. `say` prints the one document; `fail` ends with 1 (a problem was found) or 2 (bad input)."""

    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (OperationalError, ProgrammingError) as error:
            # Without a database, or before its first migration: one line instead of a page of frames.
            self.fail(f"The database cannot be used: {str(error).splitlines()[0]}", code=1)

    def say(self, document: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(document, ensure_ascii=False, default=str))
            return
        for key, value in document.items():
            self.stdout.write(f"{key}: {json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list)) else value}")

    def fail(self, message: str, *, code: int, document: dict[str, Any] | None = None, as_json: bool = False) -> NoReturn:
        if as_json and document is not None:
            self.say(document, as_json=True)
        self.stderr.write(message)
        self.stdout.flush()
        sys.exit(code)
