"""
The register of personal data: every app says here how its share is exported and erased, and how long it is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from core import audit, crypto


@dataclass(frozen=True)
class Holding:
    """
    One app's kind of personal data. `fields` names the model columns that hold it ("accounts.person.name"). `keeps` says
    whether the party has something there that must not go without somebody deciding it: money, a payment, a case.
    """

    label: str
    export: Callable[[UUID], Any]
    erase: Callable[[UUID, datetime], None]
    retention: str
    fields: tuple[str, ...]
    keeps: Callable[[UUID], bool] | None = None


_holdings: dict[str, Holding] = {}


def register(
    label: str,
    *,
    export: Callable[[UUID], Any],
    erase: Callable[[UUID, datetime], None],
    retention: str,
    fields: tuple[str, ...] = (),
    keeps: Callable[[UUID], bool] | None = None,
) -> None:
    _holdings[label] = Holding(label, export, erase, retention, fields, keeps)


_owners: list[Callable[[UUID], UUID | None]] = []


def owner_register(find: Callable[[UUID], UUID | None]) -> None:
    """Name a way from some other id (a person's) to the party whose data is meant."""
    if find not in _owners:
        _owners.append(find)


def owner_of(some_id: UUID) -> UUID:
    """The party that an id means: a person's own party, else the id itself."""
    return next((party_id for find in _owners if (party_id := find(some_id)) is not None), some_id)


def holdings() -> list[Holding]:
    return [_holdings[label] for label in sorted(_holdings)]


def export(party_id: UUID) -> dict[str, Any]:
    """Everything held about the party, JSON-ready, by holding."""
    return {holding.label: holding.export(party_id) for holding in holdings()}


def kept_by(party_id: UUID) -> list[str]:
    """The holdings that object to the party being erased by the hub itself; none for one that never did anything."""
    return [holding.label for holding in holdings() if holding.keeps is not None and holding.keeps(party_id)]


@transaction.atomic
def erase(party_id: UUID, *, now: datetime) -> list[str]:
    """
    Erase in one transaction: every holding's clear columns, then the party's data key, which makes all its encrypted
    columns unreadable. The ledger keeps its ids and amounts. Returns the holdings' labels.
    """
    for holding in holdings():
        holding.erase(party_id, now)
    crypto.data_key_destroy(party_id, now=now)
    audit.record("privacy.erased", party_id=party_id)
    return [holding.label for holding in holdings()]
