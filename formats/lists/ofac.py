"""
The United States' lists in OFAC's native CSV: a main file (sdn.csv or cons_prim.csv) and beside it, where present, the files
of other names (alt), addresses (add) and longer remarks (comments).

The files have no header, "-0-" stands for nothing, and the native ones end with the old end-of-file sign 0x1A. A line that
breaks off, another number of columns, or a line about an entry that the main file does not have: the whole load is refused.
Source: OFAC, "SDN List Data Formats and Data Schemas".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from formats.lists.countries import country_code
from formats.lists.entries import ListedEntry, ListRefused, NameKind, SourceFile

_NOTHING = "-0-"
_SCHEMAS = {"individual": "Person", "entity": "Organization", "vessel": "Vessel", "aircraft": "Aircraft", "": "Organization"}
_FIELD_MAX = 2_000_000
_YEARS = re.compile(r"\bDOB\s+(?:circa\s+)?([^;]*)", re.IGNORECASE)
_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_NATION = re.compile(r"\b(?:nationality|citizen)\s+([^;]*)", re.IGNORECASE)
_BIRTHPLACE = re.compile(r"\bPOB\s+([^;]*)", re.IGNORECASE)
_WEAK = re.compile(r"\b[afn]\.k\.a\.\s+'([^;]*?)'(?=[;.,]|$)", re.IGNORECASE)


def ofac_files(path: Path) -> dict[str, SourceFile]:
    """
    The files of a folder (or beside a main file) by role: main, alt, add, comments.

    :raises ListRefused: there is no main file.
    """
    folder, asked = (path.parent, path.name.lower()) if path.is_file() else (path, "")
    if not folder.is_dir():
        raise ListRefused("not_found", "there is no such folder", file=path.name)
    here = {found.name.lower(): found for found in folder.iterdir() if found.is_file()}
    for main, prefix in (("sdn.csv", ""), ("sdn.csv", "sdn_"), ("cons_prim.csv", "cons_")):
        if main in here and asked in ("", main):
            names = {"main": main, "alt": f"{prefix}alt.csv", "add": f"{prefix}add.csv", "comments": f"{prefix or 'sdn_'}comments.csv"}
            found = {role: SourceFile(here[name]) for role, name in names.items() if name in here}
            if prefix or main != "sdn.csv" or "sdn_alt.csv" not in here:
                return found
    raise ListRefused("not_found", "neither sdn.csv nor cons_prim.csv is there", file=path.name)


def ofac_read(path: Path) -> list[ListedEntry]:
    """
    All entries with their names.

    :raises ListRefused: any of the files is not what it should be.
    """
    files = ofac_files(path)
    for file in files.values():
        file.check()
    entries = _main(files["main"])
    if "alt" in files:
        _aliases(files["alt"], entries)
    if "add" in files:
        _addresses(files["add"], entries)
    if "comments" in files:
        # Longer remarks are published on their own days, so they may speak of entries that the main file has no more.
        for _line, row in _rows(files["comments"], 2):
            if row[0] in entries:
                _remarks(entries[row[0]], row[1])
    return list(entries.values())


def _main(file: SourceFile) -> dict[str, ListedEntry]:
    entries: dict[str, ListedEntry] = {}
    for line, row in _rows(file, 12):
        number, name, kind, programme = row[0], _value(row[1]), _value(row[2]).lower(), _value(row[3])
        if number in entries:
            raise ListRefused("doubled", f"entry {number} is there twice", file=file.name, line=line)
        if kind not in _SCHEMAS:
            raise ListRefused("format", "the third column is not a kind of entry", file=file.name, line=line)
        if not name:
            raise ListRefused("format", "the entry has no name", file=file.name, line=line)
        entry = ListedEntry(entry_id=number, schema=_SCHEMAS[kind], names=[], programme=programme[:80])
        entry.name_add(name, NameKind.PRIMARY)
        _remarks(entry, row[11])
        entries[number] = entry
    if not entries:
        raise ListRefused("empty", "there is no entry in it", file=file.name)
    return entries


def _aliases(file: SourceFile, entries: dict[str, ListedEntry]) -> None:
    for line, row in _rows(file, 5):
        entry = _entry(entries, row[0], file, line)
        weak = "weak" in row[4].lower()
        entry.name_add(_value(row[3]), NameKind.WEAK if weak else NameKind.ALIAS)


def _addresses(file: SourceFile, entries: dict[str, ListedEntry]) -> None:
    for line, row in _rows(file, 6):
        _country_add(_entry(entries, row[0], file, line), _value(row[4]))


def _remarks(entry: ListedEntry, text: str) -> None:
    for found in _YEARS.findall(text):
        years = [int(year) for year in _YEAR.findall(found)]
        if len(years) == 2 and " to " in found and 0 < years[1] - years[0] <= 30:
            years = list(range(years[0], years[1] + 1))
        entry.birth_years += [year for year in years if year not in entry.birth_years]
    for found in _NATION.findall(text):
        _country_add(entry, found)
    for found in _BIRTHPLACE.findall(text):
        _country_add(entry, found.rpartition(",")[2])
    for found in _WEAK.findall(text):
        entry.name_add(found, NameKind.WEAK)


def _country_add(entry: ListedEntry, text: str) -> None:
    code = country_code(text)
    if code and code not in entry.countries:
        entry.countries.append(code)


def _entry(entries: dict[str, ListedEntry], number: str, file: SourceFile, line: int) -> ListedEntry:
    if number not in entries:
        raise ListRefused("incomplete", f"entry {number} is not in the main file: one of the two is cut", file=file.name, line=line)
    return entries[number]


def _value(text: str) -> str:
    text = text.strip()
    return "" if text == _NOTHING else text


def _rows(file: SourceFile, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Lines with a number in the first column and exactly so many columns, one at a time."""
    csv.field_size_limit(_FIELD_MAX)
    reader = csv.reader(_lines(file), strict=True)
    last = 0
    try:
        for row in reader:
            line, last = last + 1, reader.line_num
            if not row or row == ["\x1a"]:
                continue
            if len(row) != columns:
                raise ListRefused("columns", f"{len(row)} columns instead of {columns}", file=file.name, line=line)
            row[0] = row[0].strip()
            if not (row[0].isascii() and row[0].isdigit()):
                raise ListRefused("format", "the first column is not an entry's number", file=file.name, line=line)
            if row[-1] in ("", "-", "-0"):
                raise ListRefused("cut", "the line breaks off", file=file.name, line=line)
            yield line, row
    except csv.Error as error:
        cut = "unexpected end" in str(error)
        message = "the file breaks off within a line" if cut else f"not OFAC's CSV ({error})"
        raise ListRefused("cut" if cut else "format", message, file=file.name, line=last + 1) from error


def _lines(file: SourceFile) -> Iterator[str]:
    with file.path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            if b"\x00" in raw or raw[:2] in (b"\xff\xfe", b"PK") or raw.lstrip(b"\xef\xbb\xbf")[:1] in (b"<", b"{"):
                raise ListRefused("format", "this is not OFAC's CSV", file=file.name, line=number)
            if len(raw) > _FIELD_MAX:
                raise ListRefused("format", "a line is too long", file=file.name, line=number)
            if raw.strip() == b"\x1a":
                return
            try:
                yield raw.removeprefix(b"\xef\xbb\xbf").decode()
            except UnicodeDecodeError:
                yield raw.decode("cp1252", errors="replace")
