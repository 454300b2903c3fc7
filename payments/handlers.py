"""What payments do when something happens in a lower app; joined to the events in hub/wiring.py."""

from __future__ import annotations

from uuid import UUID

from core import clock, due
from core.models import Event
from payments.models import Payment, State
from payments.services import holds, safeguarding


def suspended_try_again(event: Event) -> None:
    """
    A party's level or wallets changed, so money that waits for room may now have it.
    For `compliance.level.changed` and the opening of a wallet.
    """
    assert event.party_id is not None
    waiting = Payment.objects.filter(party_id=event.party_id, state=State.HELD, suspended=True)
    for payment in waiting:
        due.reschedule("payments.top_up_release", run_key=str(payment.id), due_at=clock.now())


def held_try_again(event: Event) -> None:
    """What is held because of this party may go on: `compliance.screening.cleared`, `compliance.case.released`."""
    _held_schedule(event, "payments.held_release")


def held_give_up(event: Event) -> None:
    """Staff have blocked the party: what waited for that case goes back."""
    _held_schedule(event, "payments.held_cancel")


def _held_schedule(event: Event, kind: str) -> None:
    """One piece of work for each payment, so that one that is refused keeps none of the others from moving."""
    assert event.party_id is not None
    for payment_id in holds.held_because_of(event.party_id):
        due.schedule(kind, run_key=f"{payment_id}:{event.id}", due_at=clock.now(), payment_id=payment_id)


def providers_ask(event: Event) -> None:
    """A day's safeguarding report is made: what do the providers say? For `wallets.safeguarding.reported`."""
    safeguarding.providers_ask_schedule(report_id=UUID(str(event.data["report_id"])), now=clock.now())
