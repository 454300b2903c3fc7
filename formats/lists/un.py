"""
The United Nations Security Council's consolidated list (XML).

Read as a stream; entities, document types and outside references are refused by defusedxml before anything is expanded.
Source: https://www.un.org/sc/resources/sc-sanctions.xsd
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax import SAXParseException

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from formats.lists.countries import country_code
from formats.lists.entries import ListedEntry, ListRefused, NameKind, SourceFile

_SCHEMAS = {"INDIVIDUAL": "Person", "ENTITY": "Organization"}
_PARTS = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_RANGE_MAX = 30


class _Counted:
    """Counts lines as they are read, so that a refusal can say where; the parser itself reads ahead a little."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.line = 1

    def read(self, _size: int = -1) -> bytes:
        piece = self.stream.readline(1 << 16)
        self.line += piece.endswith(b"\n")
        return piece


def un_read(path: Path) -> tuple[list[ListedEntry], str]:
    """
    All entries, and the moment the list was generated (the publisher's own version).

    :raises ListRefused: not this list, cut, or hostile.
    """
    file = SourceFile(path)
    file.check()
    with path.open("rb") as stream:
        counted = _Counted(stream)
        try:
            return _read(counted, file)
        except DefusedXmlException as error:
            raise ListRefused(
                "hostile", f"the XML declares entities or a document type ({type(error).__name__})", file=file.name, line=_line(counted)
            ) from error
        except (ParseError, SAXParseException) as error:
            line, cut = _place(error, counted), "no element found" in str(error) or "unclosed" in str(error)
            message = "the file breaks off" if cut else f"this is not well-formed XML ({error})"
            raise ListRefused("cut" if cut else "format", message, file=file.name, line=line) from error
        except (UnicodeError, LookupError, ValueError) as error:
            raise ListRefused("format", "its characters cannot be read", file=file.name, line=_line(counted)) from error


def _read(counted: _Counted, file: SourceFile) -> tuple[list[ListedEntry], str]:
    entries: list[ListedEntry] = []
    seen: set[str] = set()
    generated, root = "", None
    for event, element in iterparse(counted, events=("start", "end"), forbid_dtd=True, forbid_entities=True, forbid_external=True):
        if event == "start":
            if root is None:
                root = element
                if element.tag != "CONSOLIDATED_LIST":
                    raise ListRefused("format", "this is not the United Nations' consolidated list", file=file.name, line=_line(counted))
                generated = element.get("dateGenerated", "")
            continue
        if element.tag in _SCHEMAS:
            entry = _entry(element, file, _line(counted))
            if entry.entry_id in seen:
                raise ListRefused("doubled", f"entry {entry.entry_id} is there twice", file=file.name, line=_line(counted))
            seen.add(entry.entry_id)
            entries.append(entry)
            element.clear()
    if not entries:
        raise ListRefused("empty", "there is no entry in it", file=file.name)
    return entries, generated


def _entry(element: Any, file: SourceFile, line: int) -> ListedEntry:
    number = _text(element, "DATAID")
    name = " ".join(part for tag in _PARTS if (part := _text(element, tag)))
    if not number.isdigit() or not name:
        raise ListRefused("format", "an entry without its number (DATAID) or its name", file=file.name, line=line)
    entry = ListedEntry(entry_id=number, schema=_SCHEMAS[element.tag], names=[], programme=_text(element, "UN_LIST_TYPE")[:80])
    entry.name_add(name, NameKind.PRIMARY)
    entry.name_add(_text(element, "NAME_ORIGINAL_SCRIPT"), NameKind.ORIGINAL)
    for alias in (*element.findall("INDIVIDUAL_ALIAS"), *element.findall("ENTITY_ALIAS")):
        weak = _text(alias, "QUALITY").lower() == "low"
        # One field may hold several names, separated by semicolons.
        for text in re.split(r"[;\n]", _text(alias, "ALIAS_NAME", keep_lines=True)):
            entry.name_add(text, NameKind.WEAK if weak else NameKind.ALIAS)
    _births(entry, element)
    _countries(entry, element)
    return entry


def _births(entry: ListedEntry, element: Any) -> None:
    for birth in element.findall("INDIVIDUAL_DATE_OF_BIRTH"):
        first, last = _text(birth, "FROM_YEAR"), _text(birth, "TO_YEAR")
        if first.isdigit() and last.isdigit() and 0 <= int(last) - int(first) <= _RANGE_MAX:
            years = list(range(int(first), int(last) + 1))
        else:
            years = [int(year) for tag in ("YEAR", "DATE") for year in _YEAR.findall(_text(birth, tag))]
        entry.birth_years += [year for year in dict.fromkeys(years) if year not in entry.birth_years]


def _countries(entry: ListedEntry, element: Any) -> None:
    written = [value.text or "" for value in element.findall("NATIONALITY/VALUE")]
    for tag in ("INDIVIDUAL_ADDRESS", "INDIVIDUAL_PLACE_OF_BIRTH", "ENTITY_ADDRESS"):
        written += [_text(place, "COUNTRY") for place in element.findall(tag)]
    for text in written:
        code = country_code(text)
        if code and code not in entry.countries:
            entry.countries.append(code)


def _text(element: Element, tag: str, *, keep_lines: bool = False) -> str:
    text = element.findtext(tag) or ""
    return text.strip() if keep_lines else " ".join(text.split())


def _line(counted: _Counted) -> int:
    return max(1, counted.line - 1)


def _place(error: Exception, counted: _Counted) -> int:
    position = getattr(error, "position", None)
    return int(position[0]) if position else _line(counted)
