"""Due work of wallets."""

from __future__ import annotations

from datetime import datetime

from core import clock, due
from core.models import DueWork
from wallets import ledger
from wallets.errors import HoldClosed, HoldOpen


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
