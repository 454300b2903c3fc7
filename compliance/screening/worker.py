"""
Screening parties: what the screening process does. It alone has the index; whoever else needs an answer reads the verdict.

A verdict is left as a hit only by staff: when the party's name does not match any more, the case stays open for them to see.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from accounts.models import Party
from compliance.cases import services as cases
from compliance.identity.models import IdentityState
from compliance.identity.selectors import identity_current
from compliance.models import Case
from compliance.screening import holder
from compliance.screening.index import Match, NameIndex
from compliance.screening.models import Clearance, Verdict
from compliance.screening.verdicts import name_index, names_of
from core import audit, events

log = structlog.get_logger(__name__)

# From this score on a name is a hit. docs/screening.md tells what it finds and what it misses.
HIT_SCORE = 0.8
_KEPT = 5
_SCHEMAS = {Party.Kind.PERSON: "Person", Party.Kind.BUSINESS: "Company", Party.Kind.HOUSEHOLD: "LegalEntity"}
BATCH = 100


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a party: its names, and what identity data add to them."""

    names: tuple[str, ...]
    schema: str
    birth_year: int | None = None
    country: str = ""


def facts_of(party: Party) -> Facts:
    """
    What people say of themselves can only add a name to look for. A birth date or a country can clear somebody, so they count
    once staff have seen the document.
    """
    identity = identity_current(party.id)
    names, schema = tuple(names_of(party)), _SCHEMAS[Party.Kind(party.kind)]
    if identity is None or identity.state != IdentityState.VERIFIED:
        return Facts(names, schema)
    return Facts(names, schema, birth_year=date.fromisoformat(identity.birth_date_text).year, country=identity.country)


def _search(index: NameIndex, facts: Facts) -> list[Match]:
    """By the name others see and by the one in the document: either may be the one on a list."""
    best: dict[tuple[str, str], Match] = {}
    for name in facts.names:
        for match in index.search(
            name, schema=facts.schema, birth_year=facts.birth_year, country=facts.country, minimum=HIT_SCORE, limit=_KEPT
        ):
            key = match.entry.source, match.entry.entry_id
            if key not in best or best[key].score < match.score:
                best[key] = match
    return sorted(best.values(), key=lambda match: (-match.score, match.entry.source, match.entry.entry_id))[:_KEPT]


def party_screen(*, party_id: UUID, now: datetime) -> Verdict | None:
    """
    Compare the party's name with all active lists and store what came of it.

    None when there is nothing to say: no list is loaded (then payments go on waiting), or the party is erased.
    Emits `compliance.screening.cleared` when what waited for this verdict may go on.
    """
    loaded = holder.current()
    if not loaded.lists:
        return None
    with transaction.atomic():
        # No key: whoever opens a case meanwhile refers to the party's row and must not wait for us.
        party = Party.objects.select_for_update(no_key=True).filter(id=party_id).first()
        if party is None or not party.name:
            return None
        found = _search(loaded.index, facts_of(party))
        return _store(party, _without_cleared(party, found), found, loaded.newest, now)


def _without_cleared(party: Party, found: list[Match]) -> list[Match]:
    if not found:
        return []
    cleared = set(Clearance.objects.filter(party=party, name_index=name_index(party)).values_list("source", "entry_id", "entry_digest"))
    return [match for match in found if (match.entry.source, match.entry.entry_id, match.entry.digest) not in cleared]


def _store(party: Party, hits: list[Match], found: list[Match], newest: int, now: datetime) -> Verdict:
    before = Verdict.objects.select_for_update().filter(party=party).first()
    verdict = before or Verdict(party=party, state=Verdict.State.CLEAR, screened_at=now)
    was = verdict.state if before else ""
    text = json.dumps([_document(match) for match in hits], ensure_ascii=False) if hits else ""
    is_news = bool(hits) and (was != Verdict.State.HIT or text != verdict.matches)
    verdict.screened_at, verdict.list_id = now, newest
    verdict.score = min(1000, round(max((match.score for match in found), default=0.0) * 1000))
    if hits:
        verdict.state, verdict.matches = Verdict.State.HIT, text
    elif was != Verdict.State.HIT:
        verdict.state, verdict.matches = Verdict.State.CLEAR, ""
    verdict.save()
    if was != verdict.state or is_news:
        audit.record(
            "compliance.screening.verdict", party_id=party.id, object_type="verdict", object_id=verdict.id, state=verdict.state, was=was
        )
    if verdict.state == Verdict.State.HIT:
        if is_news or not hits:
            # A hit that would not be one any more is still for staff to leave: the name may have been changed to get past.
            cases.case_open(party_id=party.id, reason=Case.Reason.HIT, now=now)
    elif cases.case_resolve(party_id=party.id, now=now) or was != Verdict.State.CLEAR:
        events.emit("compliance.screening.cleared", party_id=party.id)
    return verdict


def _document(match: Match) -> dict[str, Any]:
    return {
        "source": match.entry.source,
        "entry_id": match.entry.entry_id,
        "digest": match.entry.digest,
        "name": match.name,
        "score": match.score,
        "parts": list(match.parts),
    }


def batch_screen(*, after: UUID | None, now: datetime) -> UUID | None:
    """
    Screen the next few parties whose verdict has not seen the newest list. Returns the last one's id, None at the end.
    """
    loaded = holder.current()
    parties = Party.objects.filter(state=Party.State.ACTIVE).exclude(verdict__list_id__gte=loaded.newest)
    if after is not None:
        parties = parties.filter(id__gt=after)
    ids = list(parties.order_by("id").values_list("id", flat=True)[:BATCH])
    for party_id in ids:
        try:
            party_screen(party_id=party_id, now=now)
        except Exception as error:
            # One party that cannot be read must not keep all others from being screened; it stays without a verdict, so it is held.
            log.error("screening_failed", party_id=str(party_id), exc_info=error)
    return ids[-1] if ids else None
