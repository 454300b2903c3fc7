"""What others may know of screening: the stored verdict of a party, as it stands now. Nothing here scans a name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, Subquery

from compliance.screening.models import SanctionsList, Verdict


class Standing(Enum):
    CLEAR = "clear"
    HIT = "hit"
    MISSING = "missing"
    """Not screened yet, or not since its name changed."""
    STALE = "stale"
    """Screened before a list changed, and the grace after the change is over."""


@dataclass(frozen=True, slots=True)
class PartyStanding:
    party_id: UUID
    state: Standing


def verdict_for(party_id: UUID, now: datetime) -> PartyStanding:
    return verdicts_for([party_id], now)[0]


def verdicts_for(party_ids: Iterable[UUID], now: datetime) -> list[PartyStanding]:
    """How each party stands, in the order asked for; one query."""
    asked = list(party_ids)
    missed = SanctionsList.objects.filter(id__gt=OuterRef("list_id")).order_by("id")
    found = {
        party_id: _standing(state, changed_at, now)
        for party_id, state, changed_at in Verdict.objects.filter(party_id__in=asked).values_list(
            "party_id", "state", Subquery(missed.values("loaded_at")[:1])
        )
    }
    return [PartyStanding(party_id, found.get(party_id, Standing.MISSING)) for party_id in asked]


def _standing(state: str, changed_at: datetime | None, now: datetime) -> Standing:
    """`changed_at` is the first change of a list that the verdict has not seen."""
    if state == Verdict.State.OUTDATED:
        return Standing.MISSING
    if state == Verdict.State.HIT:
        return Standing.HIT
    if changed_at is not None and now > changed_at + timedelta(minutes=settings.HUB_SCREENING_GRACE_MINUTES):
        return Standing.STALE
    return Standing.CLEAR
