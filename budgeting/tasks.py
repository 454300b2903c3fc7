"""Due work of budgeting."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from budgeting import services
from core import due
from core.models import DueWork


@due.worker("budgeting.feed_again")
def feed_again(work: DueWork) -> datetime | None:
    party_id, after = UUID(work.data["party_id"]), None
    while True:
        after = services.feed_of_party_again(party_id=party_id, after=after)
        if after is None:
            return None
