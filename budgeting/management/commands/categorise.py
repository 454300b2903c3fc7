"""`manage.py categorise CSV [--corrections CSV]`: merchants and categories of bank descriptions, one JSON document a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from budgeting.categorise.learning import Learned
from core.management.output import HubCommand

_FIELD_MAX = 1_000_000


class TableInvalid(Exception):
    """The file is not a table with the columns that are needed; the text says why."""


class Command(HubCommand):
    help = "Clean the descriptions of a CSV (id,description,amount,currency,mcc,country) and say what each payment was for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="CSV with a header; only description is required")
        parser.add_argument("--corrections", help="CSV (description,category) that is learned first")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            learned = Learned(
                (row["description"], row["category"])
                for row in (rows_of(options["corrections"], ("description", "category")) if options["corrections"] else ())
            )
            for number, row in enumerate(rows_of(options["file"], ("description",)), 1):
                guess = learned.categorise(row["description"], mcc=row.get("mcc", "").strip(), country=row.get("country", "").strip())
                answer = {
                    "id": row.get("id") or str(number),
                    "merchant": guess.merchant,
                    "category": guess.category,
                    "confidence": guess.confidence,
                    "why": guess.why,
                }
                self.stdout.write(json.dumps(answer, ensure_ascii=False))
        except TableInvalid as error:
            self.fail(str(error), code=2)


def rows_of(path: str, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """
    The rows of a CSV by the names of its header, which may be in any case and order; missing cells are "".

    :raises TableInvalid: not there, not text, or without the columns that are needed.
    """
    text = _text(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(_FIELD_MAX)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip().casefold() for name in next(reader, [])]
        missing = [name for name in needed if name not in names]
        if missing:
            raise TableInvalid(f"{path}: no column {' and no column '.join(missing)} in the header")
        for row in reader:
            if row:
                yield dict.fromkeys(names, "") | dict(zip(names, row, strict=False))
    except csv.Error as error:
        raise TableInvalid(f"{path}, line {reader.line_num}: {error}") from error


def _text(path: str) -> str:
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise TableInvalid(f"{path}: {error.strerror or type(error).__name__}") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        # Older banks' exports; every byte means something there, so it never fails.
        return raw.decode("cp1252", errors="replace").replace("\0", "")
