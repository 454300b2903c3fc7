"""What budgeting does when something happens in a lower app; joined to the events in hub/wiring.py."""

from __future__ import annotations

from uuid import UUID

from budgeting import services
from core import clock, due
from core.models import Event

# What moves an item to another day, or changes its worth.
_MOVING = frozenset({"time_zone", "home_currency"})


def feed_payment(event: Event) -> None:
    """For every `payments.*` event after which money stands in another place: the payment, and what undid it."""
    for name in ("payment_id", "reversal_id"):
        if event.data.get(name):
            services.feed_follow(payment_id=UUID(event.data[name]))


def feed_of_person_again(event: Event) -> None:
    """For `accounts.person.changed`: another time zone or home currency. In pieces, since it may be ten years of items."""
    if event.party_id and _MOVING & set(str(event.data.get("fields", "")).split(",")):
        due.schedule("budgeting.feed_again", run_key=str(event.id), due_at=clock.now(), party_id=event.party_id)
