"""Due work of wallets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from compliance import limits
from core import clock, due
from core.models import DueWork
from wallets import ledger, services
from wallets.errors import HoldClosed, HoldOpen
from wallets.models import Wallet

_BATCH = 200


@due.worker("wallets.hold_expire")
def hold_expire(work: DueWork) -> datetime | None:
    """Give an expired hold's money back; captured or voided before is fine."""
    try:
        ledger.expire(hold=int(str(work.data["hold"])), now=clock.now())
    except HoldClosed:
        return None
    except HoldOpen:
        # The clock was set back meanwhile.
        return work.due_at
    return None


@due.worker("wallets.ceilings_refresh")
def ceilings_refresh(work: DueWork) -> datetime | None:
    last = UUID(int=0)
    while True:
        batch = list(
            Wallet.objects.filter(state=Wallet.State.OPEN, party_id__gt=last)
            .order_by("party_id")
            .values_list("party_id", flat=True)
            .distinct()[:_BATCH]
        )
        if not batch:
            return None
        for party_id in batch:
            services.party_ceilings_set(party_id=party_id, ceiling=limits.balance_limit(party_id, clock.now()))
        last = batch[-1]
