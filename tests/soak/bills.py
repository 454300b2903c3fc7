"""
`python -m tests.soak.bills COUNT SECONDS PEOPLE`: bills, set up one after the other within SECONDS and due at once, while
the hub is being killed. A call that fails is repeated with its key. Prints how many there are.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import django

BILL_MINOR = 7_00
PATIENCE_SECONDS = 60.0


def main(count: int, seconds: float, people: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    django.setup()
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begun + seconds * number / count - time.monotonic()))
        _insist(number, people)
    print(json.dumps({"bills": count}))


def _insist(number: int, people: int) -> None:
    from django.db import connection
    from django.db.utils import Error

    # A repeat is the same request, also a minute later.
    now, until = datetime.now(UTC), time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return _create(number, people, now)
        except Error:
            if time.monotonic() > until:
                raise
            connection.close()
            time.sleep(0.3)


def _create(number: int, people: int, now: datetime) -> None:
    from accounts.models import Person
    from core.db import SYSTEM, scope
    from core.money import Money
    from payments.bills.schedule import Every
    from payments.bills.services import Terms, To, bill_create
    from wallets.models import Wallet

    with scope(SYSTEM):
        payer = Person.objects.get(email=f"soak{number % people}@soak.example")
        today = now.astimezone(ZoneInfo(payer.time_zone))
        bill_create(
            by=payer,
            party_id=payer.party_id,
            to=To(payee=f"@soak.{(number + 1) % people}"),
            terms=Terms(
                name=f"Bill {number}",
                wallet_id=Wallet.objects.get(party_id=payer.party_id).id,
                amount=Money(BILL_MINOR, "EUR"),
                first_on=today.date(),
                every=Every.WEEK,
                # The present minute: due from the first moment.
                at=today.time().replace(second=0, microsecond=0),
            ),
            idempotency_key=f"soak-{number}",
            now=now,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
