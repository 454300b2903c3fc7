"""
Ask whose name on the active lists a name could be.

    manage.py screen --name "A Name" [--birth-year 1970] [--country SE] [--schema Person]
    manage.py screen --batch FILE.csv     id,name,birth_year,country,schema: one answer a line
    manage.py screen --pairs FILE.csv     name1,name2,schema: one score a line, by the same scorer; needs no database
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.db import SYSTEM, scope
from core.management.output import HubCommand

NAME_MAX = 1000
MINIMUM, LIMIT = 0.7, 10


@dataclass(frozen=True)
class Asked:
    id: str | None
    name: str
    birth_year: int | None = None
    country: str = ""
    schema: str = ""


class InputWrong(Exception):
    """Bad input, with the line it is in."""


class Command(HubCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--name")
        how.add_argument("--batch", type=Path, metavar="CSV")
        how.add_argument("--pairs", type=Path, metavar="CSV")
        parser.add_argument("--birth-year", default="")
        parser.add_argument("--country", default="", help="two letters (ISO 3166)")
        parser.add_argument("--schema", default="", help="Person or Company")
        parser.add_argument("--minimum", type=float, default=MINIMUM, help=f"the lowest score that is shown ({MINIMUM})")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["pairs"]:
                self._pairs(options)
                return
            if options["batch"]:
                asked = [self._asked(row, line) for line, row in _rows(options["batch"], ("name",))]
            else:
                asked = [self._asked({**options, "birth_year": options["birth_year"]}, 0)]
        except InputWrong as error:
            document = {"error": {"code": "input_invalid", "message": str(error)}}
            self.fail(str(error), code=2, document=document, as_json=options["json"])
        with scope(SYSTEM):
            self._search(asked, options)

    def _search(self, asked: list[Asked], options: dict[str, Any]) -> None:
        from compliance.screening import holder

        index = holder.current().index
        if not len(index):
            self.stderr.write("No list is loaded: there is nothing to compare with (screening_load).")
        for one in asked:
            found = index.search(
                one.name, schema=one.schema, birth_year=one.birth_year, country=one.country, minimum=options["minimum"], limit=LIMIT
            )
            matches = [
                {
                    "source": match.entry.source,
                    "entry_id": match.entry.entry_id,
                    "name": match.name,
                    "score": round(match.score, 4),
                    "parts": list(match.parts),
                }
                for match in found
            ]
            self._line({"id": one.id, "matches": matches}, options["json"])

    def _pairs(self, options: dict[str, Any]) -> None:
        from compliance.screening.scorer import pair_score

        rows = [
            (_name(row, "name1", line), _name(row, "name2", line), _schema(row.get("schema"), line) or "Person")
            for line, row in _rows(options["pairs"], ("name1", "name2"))
        ]
        for one, other, schema in rows:
            self._line({"score": pair_score(one, other, schema)}, options["json"])

    def _line(self, document: dict[str, Any], as_json: bool) -> None:
        if as_json or "matches" not in document:
            self.stdout.write(json.dumps(document, ensure_ascii=False))
            return
        self.stdout.write(f"{document['id'] or ''}: {len(document['matches'])} possible")
        for match in document["matches"]:
            self.stdout.write(f"  {match['score']:.2f}  {match['name']}  ({match['source']} {match['entry_id']})")

    def _asked(self, row: dict[str, Any], line: int) -> Asked:
        return Asked(
            id=str(row["id"]) if row.get("id") not in (None, "") else None,
            name=_name(row, "name", line),
            birth_year=_year(str(row.get("birth_year") or ""), line),
            country=_country(str(row.get("country") or ""), line),
            schema=_schema(row.get("schema"), line),
        )


def _where(line: int) -> str:
    return f"Line {line}: " if line else ""


def _name(row: dict[str, Any], column: str, line: int) -> str:
    name = " ".join(str(row.get(column) or "").split())
    if not name or len(name) > NAME_MAX:
        raise InputWrong(
            f"{_where(line)}{column} is empty." if not name else f"{_where(line)}{column} is longer than {NAME_MAX} characters."
        )
    return name


def _year(text: str, line: int) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1800 <= int(text) <= 2200):
        raise InputWrong(f"{_where(line)}{text!r} is not a year of birth.")
    return int(text)


def _country(text: str, line: int) -> str:
    text = text.strip().upper()
    if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise InputWrong(f"{_where(line)}{text!r} is not a country's two letters.")
    return text


def _schema(text: str | None, line: int) -> str:
    from compliance.screening.scorer import SCHEMAS

    known = {schema.lower(): schema for schema in SCHEMAS}
    wanted = (text or "").strip().lower()
    if wanted and wanted not in known:
        raise InputWrong(f"{_where(line)}{text!r} is not one of {', '.join(SCHEMAS)}.")
    return known.get(wanted, "")


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of a CSV file with a header, with their numbers."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = [column for column in needed if column not in (reader.fieldnames or [])]
            if missing:
                raise InputWrong(f"Line 1: there is no column {', '.join(missing)}.")
            for row in reader:
                if None in row or None in row.values():
                    raise InputWrong(f"Line {reader.line_num}: another number of columns than the header has.")
                yield reader.line_num, row
    except OSError as error:
        raise InputWrong(f"{path.name}: {error.strerror or 'cannot be read'}.") from error
    except UnicodeDecodeError as error:
        raise InputWrong(f"{path.name} is not UTF-8.") from error
    except csv.Error as error:
        raise InputWrong(f"{path.name} is not CSV ({error}).") from error
