"""What every list comes down to: entries with names, years of birth and countries, or a refusal with file and line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

# Larger than any list that exists; a file beyond it is not a list.
BYTES_MAX = 512 * 1024 * 1024
NAME_MAX = 600


class NameKind(Enum):
    PRIMARY = "primary"
    ALIAS = "alias"
    WEAK = "weak"
    """The publisher itself says that it is a nickname or too common to go by."""
    ORIGINAL = "original"
    """In the script of the country."""


@dataclass(frozen=True, slots=True)
class ListedName:
    text: str
    kind: NameKind


@dataclass(slots=True)
class ListedEntry:
    """One person, organisation, ship or aircraft. `schema` is Person, Organization, Vessel or Aircraft; countries are ISO 3166 codes."""

    entry_id: str
    schema: str
    names: list[ListedName]
    programme: str = ""
    birth_years: list[int] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)

    def name_add(self, text: str, kind: NameKind) -> None:
        text = " ".join(text.split())[:NAME_MAX]
        if text and all(name.text != text for name in self.names):
            self.names.append(ListedName(text, kind))

    def digest(self) -> str:
        """Changes when anything that matters for screening changes."""
        told = [self.schema, self.programme, sorted(self.birth_years), sorted(self.countries)]
        told += sorted((name.text, name.kind.value) for name in self.names)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


class ListRefused(Exception):
    """The whole file is refused. `code` is stable, `line` counts from 1 (0: the file as a whole)."""

    def __init__(self, code: str, message: str, *, file: str = "", line: int = 0) -> None:
        self.code, self.message, self.file, self.line = code, message, file, line
        where = ", ".join(part for part in (file, f"line {line}" if line else "") if part)
        super().__init__(f"{where}: {message}" if where else message)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that is read as a stream, after a look at its size."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def check(self) -> None:
        """
        :raises ListRefused: not a readable file, empty, or larger than any list.
        """
        try:
            if not self.path.is_file():
                raise ListRefused("not_found", "there is no such file", file=self.name)
            size = self.path.stat().st_size
            with self.path.open("rb"):
                pass
        except OSError as error:
            raise ListRefused("not_readable", error.strerror or "it cannot be read", file=self.name) from error
        if not size:
            raise ListRefused("empty", "the file is empty", file=self.name)
        if size > BYTES_MAX:
            raise ListRefused("too_large", "the file is larger than any list", file=self.name)

    def digest(self) -> str:
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
