"""A backup that was never brought back is none: the drill does it."""

from __future__ import annotations

import json
import subprocess
import sys

from hub.runtime.state import State
from tests.runtime.conftest import PROJECT

PEOPLE = """
from accounts.services import person_sign_up
from core import clock, events
from core.db import SYSTEM, scope
from core.money import Money
from wallets import ledger
from wallets.models import Wallet
with scope(SYSTEM):
    for number in range(3):
        person = person_sign_up(email=f"p{number}@drill.example", name=f"Drill {number}", password=None, email_proved=True, now=clock.now())
        events.relay()
        wallet = Wallet.objects.get(party_id=person.party_id)
        bank = ledger.system_account("drill", "EUR")
        ledger.post(debit=bank, credit=wallet.account, amount=Money(500, "EUR"), key=f"drill{number}", now=clock.now())
"""


def python(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=PROJECT, env=environ, capture_output=True, text=True, check=False, timeout=280)


def test_the_drill_restores_and_compares(environ: dict[str, str], state: State) -> None:
    """The hub's server is that of `test-env`; the drill starts its own beside it."""
    inner = f"""
import os, subprocess, sys
run = lambda *words: subprocess.run([sys.executable, *words], check=True, stdout=sys.stderr)
run("manage.py", "migrate", "--no-input", "-v", "0")
run("manage.py", "shell", "-v", "0", "-c", {PEOPLE!r})
code = subprocess.run([sys.executable, "-m", "hub.runtime", "restore-drill"]).returncode
# With another key ring the data is there, and nobody can read it.
other = {{**os.environ, "HUB_MASTER_KEYS": "1:" + "bm90IHRoZSBrZXkgb2YgdGhpcyBkYXRhYmFzZSAhISE="}}
subprocess.run([sys.executable, "manage.py", "restore_check", "--json"], env=other)
sys.exit(code)
"""
    done = python(environ, "-m", "hub.runtime", "test-env", "--", sys.executable, "-c", inner)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    whole, keyless = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"ok"')]
    assert whole["ok"], whole
    assert (whole["people"], whole["transfers"], whole["sums"], whole["problems"]) == (3, 3, {"EUR": 0}, [])
    assert whole["tables"] > 50
    assert not keyless["ok"]
    assert [text for text in keyless["problems"] if "keys do not open" in text]


def test_without_a_hub_it_says_what_is_missing(environ: dict[str, str]) -> None:
    done = python(environ, "-m", "hub.runtime", "restore-drill")
    assert done.returncode == 1
    assert "nothing to drill with" in done.stderr
