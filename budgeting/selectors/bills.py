"""Bills that come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.money import Money


@dataclass(frozen=True, slots=True)
class BillDue:
    name: str
    on: date
    amount: Money


def bills_due(party_id: UUID, *, since: date, until: date) -> list[BillDue]:
    return []
