"""What bills do when something happens to a payment or to a party; joined to the events in hub/wiring.py."""

from __future__ import annotations

from uuid import UUID

from core import clock
from core.models import Event
from payments.bills import services


def payment_follow(event: Event) -> None:
    """A payout, or a transfer that was held, has come to an end: `payments.payout.posted` and its like."""
    services.payment_followed(payment_id=UUID(str(event.data["payment_id"])), now=clock.now())


def bills_end(event: Event) -> None:
    """For `accounts.person.closed`: nothing is paid for somebody who has left."""
    assert event.party_id is not None
    services.bills_end_all(party_id=event.party_id, now=clock.now())
