"""Bills that come, as what is safe to spend counts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from core.money import Money
from payments.bills import selectors as bills

# A bill whose day is over and that is still in line (the empty wallet of yesterday) has yet to be paid.
LATE = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class BillDue:
    """`amount` is the most it can be, while nobody has said how much it is this time."""

    name: str
    on: date
    amount: Money


def bills_due(party_id: UUID, *, since: date, until: date) -> list[BillDue]:
    """What has to be paid up to and including `until`; what is late is due on `since`."""
    coming = bills.bills_coming(party_id, since - LATE, until)
    return [BillDue(bill.name, max(bill.on, since), bill.amount or bill.at_most) for bill in coming]
