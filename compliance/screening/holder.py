"""
The one index of this process, made anew when another version of a list is active.

Only the screening worker and commands import this module (tests/unit/compliance/test_screening_process.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from django.db import transaction

from compliance.screening.index import IndexedEntry, NameIndex
from compliance.screening.models import ListName, SanctionsList

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """`newest` is the id of the newest list in it; 0 when no list is loaded at all."""

    index: NameIndex
    lists: tuple[int, ...]

    @property
    def newest(self) -> int:
        return max(self.lists, default=0)


_lock = threading.Lock()
_loaded: Loaded | None = None


def active_lists() -> tuple[int, ...]:
    return tuple(SanctionsList.objects.filter(active=True).order_by("id").values_list("id", flat=True))


def current() -> Loaded:
    """The index of what is active now."""
    global _loaded
    with _lock:
        if _loaded is None or _loaded.lists != active_lists():
            _loaded = _build()
        return _loaded


def forget() -> None:
    """For tests: another database."""
    global _loaded
    with _lock:
        _loaded = None


def _build() -> Loaded:
    begun = time.monotonic()
    with transaction.atomic():
        lists = active_lists()
        index = NameIndex(_names(lists))
    log.info("screening_index_built", names=len(index), seconds=round(time.monotonic() - begun, 1))
    return Loaded(index, lists)


def _names(lists: tuple[int, ...]) -> Iterator[tuple[str, IndexedEntry, bool]]:
    rows = (
        ListName.objects.filter(entry__sanctions_list__in=lists)
        .order_by("entry_id", "id")
        .values_list(
            "text",
            "kind",
            "entry_id",
            "entry__sanctions_list__source",
            "entry__entry_id",
            "entry__schema",
            "entry__digest",
            "entry__birth_years",
            "entry__countries",
        )
    )
    known: tuple[int, IndexedEntry] | None = None
    for text, kind, key, source, entry_id, schema, digest, years, countries in rows.iterator(chunk_size=5000):
        if known is None or known[0] != key:
            known = key, IndexedEntry(source, entry_id, schema, digest, tuple(years), tuple(countries))
        yield text, known[1], kind == ListName.Kind.WEAK
