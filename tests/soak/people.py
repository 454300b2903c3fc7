"""`python -m tests.soak.people COUNT`: people with a password, verified and screened by the screening process. Prints them as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any
from zoneinfo import ZoneInfo

import django

PASSWORD = "soak and rinse 42 times"
NAMES = ("Anneli", "Birger", "Cecilia", "Dagmar", "Edvin", "Frideborg", "Gunvor", "Hjalmar", "Ingegerd", "Jorunn")
# A place where it is about noon now: a bill's day must not end during the run.
ZONES = (
    "Pacific/Auckland",
    "Asia/Tokyo",
    "Asia/Karachi",
    "Europe/Stockholm",
    "America/New_York",
    "America/Los_Angeles",
    "Pacific/Honolulu",
)


def main(count: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    django.setup()
    from core.db import SYSTEM, scope

    with scope(SYSTEM):
        print(json.dumps(_make(count)))


def _make(count: int) -> list[dict[str, Any]]:
    from accounts import services as accounts
    from compliance import services as compliance
    from compliance.models import Level
    from compliance.screening.selectors import Standing, verdict_for
    from core import clock, events
    from wallets.models import Wallet

    now = clock.now()
    zone = min(ZONES, key=lambda name: abs(now.astimezone(ZoneInfo(name)).hour - 11))
    people = []
    for number in range(count):
        name = NAMES[number % len(NAMES)]
        person = accounts.person_sign_up(
            email=f"soak{number}@soak.example", password=PASSWORD, name=f"{name} Soak", time_zone=zone, email_proved=True, now=now
        )
        accounts.handle_set(by=person, party_id=person.party_id, handle=f"soak.{number}", now=now)
        compliance.level_set(party_id=person.party_id, level=Level.VERIFIED, by=None, reason="soak", now=now)
        people.append(person)
    events.relay(limit=1000)
    until = time.monotonic() + 60
    while any(verdict_for(person.party_id, clock.now()).state is not Standing.CLEAR for person in people):
        if time.monotonic() > until:
            raise RuntimeError("nobody screened the people within a minute")
        time.sleep(0.3)
    wallets = {wallet.party_id: wallet for wallet in Wallet.objects.filter(party_id__in=[person.party_id for person in people])}
    return [
        {
            "email": person.email,
            "password": PASSWORD,
            "handle": f"soak.{number}",
            "party_id": str(person.party_id),
            "wallet_id": str(wallets[person.party_id].id),
            "account": wallets[person.party_id].account,
        }
        for number, person in enumerate(people)
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]))
