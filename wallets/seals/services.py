"""Making seals."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import connection

from wallets.seals import selectors

log = structlog.get_logger(__name__)
# Of one seal. More would keep a transaction open for seconds.
LIMIT = 65_536


def seal(*, now: datetime, limit: int = LIMIT) -> int:
    """
    Seal the transfers that are committed and that no transaction under way can come before; returns how many. Any number of
    processes may call it: one does it.

    The new head goes to the log as well, so that somebody who rewrites the database has the log against him.
    """
    total = 0
    while (done := _seal_next(now, limit)) > 0:
        total += done
        if done < limit:
            break
    if total and (head := selectors.head()) is not None:
        log.info("ledger_sealed", number=head.number, size=head.size, chain=bytes(head.chain).hex(), transfers=total)
    return total


def _seal_next(now: datetime, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_seal_next(%s, %s)", [now, limit])
        return int(cursor.fetchone()[0])
