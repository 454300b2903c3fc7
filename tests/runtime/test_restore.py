"""A backup that was never brought back is none: the drill does it."""

from __future__ import annotations

import json
import subprocess
import sys

from accounts.services import person_sign_up
from core import clock, events
from core.db import SYSTEM, scope
from core.money import Money
from tests import databases
from tests.runtime.conftest import PROJECT
from wallets import ledger
from wallets.models import Wallet

OTHER_KEYS = "1:bm90IHRoZSBrZXkgb2YgdGhpcyBkYXRhYmFzZSAhISE="


def people_with_money() -> None:
    for number in range(3):
        person = person_sign_up(email=f"p{number}@drill.example", name=f"Drill {number}", password=None, email_proved=True, now=clock.now())
        events.relay()
        wallet = Wallet.objects.get(party_id=person.party_id)
        bank = ledger.system_account("drill", "EUR")
        ledger.post(debit=bank, credit=wallet.account, amount=Money(500, "EUR"), key=f"drill{number}", now=clock.now())


def python(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=PROJECT, env=environ, capture_output=True, text=True, check=False, timeout=280)


def test_the_drill_restores_and_compares(environ: dict[str, str], fresh_db: str) -> None:
    """The hub's database is on the server of this test run; the drill starts one of its own to restore into."""
    with scope(SYSTEM):
        people_with_money()
    source = environ | {"HUB_ENV": "test", "DATABASE_OWNER_URL": databases.url_for(fresh_db, owner=True)}
    done = python(source, "-m", "hub.runtime", "restore-drill")
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    (whole,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"ok"')]
    assert whole["ok"], whole
    assert (whole["people"], whole["transfers"], whole["sums"], whole["problems"]) == (3, 3, {"EUR": 0}, [])
    assert whole["tables"] > 50

    # With another key ring the data is there, and nobody can read it.
    keyless = source | {"DATABASE_URL": databases.url_for(fresh_db), "HUB_MASTER_KEYS": OTHER_KEYS}
    found = json.loads(python(keyless, "manage.py", "restore_check", "--json").stdout)
    assert not found["ok"]
    assert [text for text in found["problems"] if "keys do not open" in text]


def test_without_a_hub_it_says_what_is_missing(environ: dict[str, str]) -> None:
    done = python(environ, "-m", "hub.runtime", "restore-drill")
    assert done.returncode == 1
    assert "nothing to drill with" in done.stderr
