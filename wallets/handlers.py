"""What wallets do when something happens in a lower app or to a wallet itself; joined to the events in hub/wiring.py."""

from __future__ import annotations

from datetime import datetime

from compliance import limits
from core import clock, due
from core.models import Event
from wallets import services
from wallets.models import Wallet


def first_wallet_open(event: Event) -> None:
    """A new person gets a wallet in their home currency, so that they can be paid at once."""
    assert event.party_id is not None
    services.wallet_open(party_id=event.party_id, currency=str(event.data["home_currency"]), now=clock.now())


def ceilings_follow(event: Event) -> None:
    """The balance limit of the party's level becomes the ceiling of its accounts."""
    assert event.party_id is not None
    services.party_ceilings_set(party_id=event.party_id, ceiling=limits.balance_limit(event.party_id, clock.now()))


def ceilings_refresh_schedule(event: Event) -> None:
    """A level's limits changed: every party's ceilings are set again, in batches, once the new rule holds."""
    if event.data["window"] == "balance":
        starts = event.data.get("active_from")
        due.schedule(
            "wallets.ceilings_refresh", run_key=str(event.id), due_at=datetime.fromisoformat(str(starts)) if starts else clock.now()
        )


def wallets_close(event: Event) -> None:
    """A closed account keeps no open wallet; they are empty, or it could not have been closed."""
    assert event.party_id is not None
    for wallet in Wallet.objects.filter(party_id=event.party_id, state=Wallet.State.OPEN):
        services.wallet_close(wallet=wallet, now=clock.now())
