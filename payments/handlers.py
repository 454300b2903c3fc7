"""What payments do when something happens in a lower app; joined to the events in hub/wiring.py."""

from __future__ import annotations

from core import clock, due
from core.models import Event
from payments.models import Payment, State


def suspended_try_again(event: Event) -> None:
    """
    A party's level or wallets changed, so money that waits for room may now have it.
    For `compliance.level.changed` and the opening of a wallet.
    """
    assert event.party_id is not None
    waiting = Payment.objects.filter(party_id=event.party_id, state=State.HELD, suspended=True)
    for payment in waiting:
        due.reschedule("payments.top_up_release", run_key=str(payment.id), due_at=clock.now())
