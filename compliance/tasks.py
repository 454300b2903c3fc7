"""
Due work of screening, for the screening process alone (Celery queue `screening`).

The index is imported when there is work, so that web and the default worker, which load this module, never have it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from compliance.screening.verdicts import SCREEN_PARTY
from core import clock, due
from core.models import DueWork

QUEUE = "screening"


@due.worker(SCREEN_PARTY, queue=QUEUE)
def screen_party(work: DueWork) -> datetime | None:
    from compliance.screening import worker

    worker.party_screen(party_id=UUID(work.data["party_id"]), now=clock.now())
    return None


@due.worker("compliance.screen_all", queue=QUEUE)
def screen_all(work: DueWork) -> datetime | None:
    """A list has changed: everybody is screened again, a batch at a time, so that new people need not wait for all of them."""
    from compliance.screening import worker

    now = clock.now()
    after = work.data.get("after")
    last = worker.batch_screen(after=UUID(after) if after else None, now=now)
    if last is None:
        return None
    DueWork.objects.filter(id=work.id).update(data={**work.data, "after": str(last)})
    return now
