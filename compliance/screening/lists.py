"""Loading a sanctions list: a whole new version takes the place of the active one, or nothing changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from django.db import connection, transaction

from compliance.screening.models import ListEntry, ListName, SanctionsList, Source
from core import audit, due, events
from formats.lists import ListedEntry, ListRefused, SourceFile, ofac_files, ofac_read, un_read

log = structlog.get_logger(__name__)

# Shown as examples in development; every name in it is made up.
DEMO_LIST = Path(__file__).resolve().parent / "data" / "demo"
_BATCH = 2000
# How many versions of a source keep their entries: the active one, and the one before it for whoever looks back.
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. `activated` is False when the files hold just what is active already."""

    source: str
    version: str
    entries: int
    names: int
    added: int
    removed: int
    changed: int
    activated: bool


def list_load(*, source: str, path: Path, now: datetime) -> Loaded:
    """
    Read a publisher's files and make them the active version of their source, in one transaction; then everybody is
    screened again.

    :raises ListRefused: the files are not that list, or not whole. The version that was active stays.
    """
    entries, version, digest = _read(Source(source), path)
    with transaction.atomic():
        return _store(Source(source), entries, version, digest, now)


def _read(source: Source, path: Path) -> tuple[list[ListedEntry], str, str]:
    if source is Source.UN:
        entries, generated = un_read(path)
        return entries, generated[:64] or SourceFile(path).digest()[:12], SourceFile(path).digest()
    entries = ofac_read(path)
    files = ofac_files(path)
    digest = hashlib.sha256("".join(files[role].digest() for role in sorted(files)).encode()).hexdigest()
    # The native files carry no date: their content names the version.
    return entries, digest[:12], digest


def _store(source: Source, entries: Sequence[ListedEntry], version: str, digest: str, now: datetime) -> Loaded:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"compliance:list:{source}"])
    before = SanctionsList.objects.filter(source=source, active=True).first()
    if before is not None and before.digest == digest:
        return Loaded(source.value, before.version, before.entries_count, before.names_count, 0, 0, 0, activated=False)
    known = dict(ListEntry.objects.filter(sanctions_list=before).values_list("entry_id", "digest")) if before else {}
    digests = {entry.entry_id: entry.digest() for entry in entries}
    if before is not None:
        before.active = False
        before.save(update_fields=["active"])
    made = SanctionsList.objects.create(
        source=source,
        version=version,
        digest=digest,
        active=True,
        loaded_at=now,
        entries_count=len(entries),
        names_count=sum(len(entry.names) for entry in entries),
        added=len(digests.keys() - known.keys()),
        removed=len(known.keys() - digests.keys()),
        changed=sum(known[key] != digests[key] for key in known.keys() & digests.keys()),
    )
    _entries_write(made, entries, digests)
    _older_forget(source)
    audit.record("compliance.list.loaded", object_type="sanctions_list", object_id=made.id, source=source.value, version=version)
    events.emit("compliance.list.changed", list_id=made.id, source=source.value)
    due.schedule("compliance.screen_all", run_key=str(made.id), due_at=now, list_id=made.id)
    log.info("sanctions_list_loaded", source=source.value, version=version, entries=made.entries_count, names=made.names_count)
    return Loaded(source.value, version, made.entries_count, made.names_count, made.added, made.removed, made.changed, activated=True)


def _entries_write(made: SanctionsList, entries: Sequence[ListedEntry], digests: dict[str, str]) -> None:
    rows = ListEntry.objects.bulk_create(
        [
            ListEntry(
                sanctions_list=made,
                entry_id=entry.entry_id,
                schema=entry.schema,
                programme=entry.programme,
                birth_years=entry.birth_years,
                countries=entry.countries,
                digest=digests[entry.entry_id],
            )
            for entry in entries
        ],
        batch_size=_BATCH,
    )
    ListName.objects.bulk_create(
        [
            ListName(entry=row, text=name.text, kind=name.kind.value)
            for row, entry in zip(rows, entries, strict=True)
            for name in entry.names
        ],
        batch_size=_BATCH,
    )


def _older_forget(source: Source) -> None:
    """Entries of versions long gone; the versions themselves stay on record."""
    kept = list(SanctionsList.objects.filter(source=source).order_by("-id").values_list("id", flat=True)[:_KEPT])
    with connection.cursor() as cursor:
        old = "SELECT e.id FROM compliance_listentry e JOIN compliance_sanctionslist l ON l.id = e.sanctions_list_id"
        old += " WHERE l.source = %s AND NOT l.id = ANY(%s)"
        cursor.execute(f"DELETE FROM compliance_listname WHERE entry_id IN ({old})", [source.value, kept])  # noqa: S608
        cursor.execute(f"DELETE FROM compliance_listentry WHERE id IN ({old})", [source.value, kept])  # noqa: S608


__all__ = ["DEMO_LIST", "ListRefused", "Loaded", "Source", "list_load"]
