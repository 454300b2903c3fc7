"""
Load a publisher's sanctions list; it takes the place of the version that is active, or nothing changes.

    manage.py screening_load ofac FOLDER               sdn.csv, and alt.csv, add.csv, sdn_comments.csv where present
    manage.py screening_load ofac-consolidated FOLDER  cons_prim.csv, cons_alt.csv, cons_add.csv, cons_comments.csv
    manage.py screening_load un FILE                   the consolidated list as XML
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from compliance.screening import lists
from compliance.screening.models import Source
from core import clock
from core.db import SYSTEM, scope
from core.management.output import HubCommand
from formats.lists import ListRefused

# Named by the contract; their formats are not read yet.
LATER = ("eu", "uk")


class Command(HubCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", help=f"one of {', '.join(Source.values)}")
        parser.add_argument("path", type=Path, help="the publisher's folder or file")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = options["json"]
        source = options["source"]
        if source in LATER:
            self._refuse("source_unknown", f"The list of {source.upper()} cannot be read yet.", as_json)
        if source not in Source.values or (source == Source.DEMO and settings.PRODUCTION):
            self._refuse("source_unknown", f"{source!r} is not one of {', '.join(Source.values)}.", as_json)
        try:
            with scope(SYSTEM):
                loaded = lists.list_load(source=source, path=self._file(source, options["path"]), now=clock.now())
        except ListRefused as error:
            self._refuse(error.code, str(error), as_json, line=error.line, file=error.file)
        document = asdict(loaded)
        document.pop("activated")
        self.say(document, as_json=as_json)

    def _file(self, source: str, path: Path) -> Path:
        """A folder with the one XML file in it will do."""
        found = list(path.glob("*.xml")) if source == Source.UN and path.is_dir() else []
        return found[0] if len(found) == 1 else path

    def _refuse(self, code: str, message: str, as_json: bool, *, line: int = 0, file: str = "") -> None:
        error = {"code": code, "message": message, "line": line or None, "file": file or None}
        self.fail(f"Nothing was loaded. {message}", code=2, document={"error": error}, as_json=as_json)
