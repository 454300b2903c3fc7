"""
What a line says besides its amount. Payments lie above wallets, so whoever knows of the payments behind entries is named in
hub/wiring.py; what pots did is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from wallets.pots import selectors as pots
from wallets.selectors import EntryRow


@dataclass(frozen=True, slots=True)
class LineText:
    """
    As the account's owner may see it: `counterparty` is the other side's name, `note` what was written along, `label` what it
    was in a word or two, `kind` the same as a code. `incoming` says which way it went at first, where that is known: money that
    comes the other way is given back.
    """

    kind: str
    label: str
    counterparty: str = ""
    note: str = ""
    incoming: bool | None = None


Describe = Callable[[UUID, Collection[UUID]], Mapping[UUID, LineText]]
_describers: list[Describe] = []


def describer_register(describe: Describe) -> None:
    """Name who describes payments: from the party and the payments' ids to texts, for those it knows. For hub/wiring.py."""
    if describe not in _describers:
        _describers.append(describe)


def describe(party_id: UUID, rows: Sequence[EntryRow]) -> list[LineText]:
    """A text for each of the rows, in their order; a handful of queries however many they are."""
    payments = _ids(rows, "payment")
    known: dict[UUID, LineText] = {}
    for describer in _describers:
        known.update(describer(party_id, payments))
    names = pots.pot_names(party_id, _ids(rows, "pot"))
    return [_text(row, known, names) for row in rows]


def _ids(rows: Sequence[EntryRow], name: str) -> set[UUID]:
    return {UUID(row.meta[name]) for row in rows if name in row.meta}


def _text(row: EntryRow, known: Mapping[UUID, LineText], names: Mapping[UUID, str]) -> LineText:
    meta: dict[str, Any] = row.meta
    if "pot" in meta:
        label = _("Put into pot") if meta.get("what") == "put" else _("Taken out of pot")
        return LineText("pot", label, names.get(UUID(meta["pot"]), ""))
    found = known.get(UUID(meta["payment"])) if "payment" in meta else None
    inward = row.amount.amount > 0
    if found is None:
        return LineText("other", _("Money in") if inward else _("Money out"))
    return found if found.incoming in (None, inward) else replace(found, label=_("Given back"))
