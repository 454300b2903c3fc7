"""The tour of docs/api.md does what the page says, and its table names every code the API can answer with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from accounts.models import Person
from accounts.services import partner_create
from core import clock
from core.db import SYSTEM, scope
from core.errors import HubError
from tests.live import LiveHub
from wallets.services import wallet_open

PAGE = Path(__file__).resolve().parents[2] / "docs/api.md"
# What only pages, staff or the hub itself can meet.
NOT_OVER_THE_API = set(
    """
    account_not_empty account_not_found account_not_guarded account_open account_unknown already_member already_resolved
    amount_invalid amount_not_a_number batch_refused batch_too_large note_required statement_currency statement_empty statement_refused
    amount_required amount_too_precise balance_not_zero case_closed case_not_screened case_own decision_unknown
    email_invalid email_taken handle_invalid handle_taken hold_closed hold_exceeded hold_expired hold_open hold_unknown
    identity_not_waiting language_unknown last_owner ledger_refused level_unknown limit_rule_in_past membership_unknown
    name_invalid not_reversible password_wrong payment_not_refundable payment_not_reversible payment_refused
    reversal_exceeded same_account scope_unknown terms_required theme_unknown time_zone_unknown too_many_tries
    transfer_unknown
    """.split()
)


def scripts() -> list[str]:
    return re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def codes(family: type[HubError], apps: tuple[str, ...] = ()) -> set[str]:
    """Of the whole family, or of what these apps define."""
    mine = {family.code} if not apps or family.__module__.split(".")[0] in apps else set()
    return mine.union(*(codes(child, apps) for child in family.__subclasses__()))


def test_every_code_is_written_down() -> None:
    import hub.urls  # noqa: F401  (every refusal is imported by then)

    written = set(re.findall(r"`([a-z_]+)`", PAGE.read_text(encoding="utf-8")))
    # Payments also has what only pages, bills and staff can meet; its table is docs/payments.md.
    assert codes(HubError, ("core", "accounts", "compliance", "wallets")) - {"refused"} - written - NOT_OVER_THE_API == set()


def test_no_code_is_made_up() -> None:
    import hub.urls  # noqa: F401

    table = PAGE.read_text(encoding="utf-8").split("| code | status | |")[1].split("## A tour")[0]
    written = {code for row in table.splitlines() for code in re.findall(r"`([a-z_]+)`", row.split("|")[1] if "|" in row else "")}
    frameworks = {
        *("json_invalid", "bad_request", "internal", "not_authenticated", "token_invalid", "session_invalid", "method_not_allowed"),
        *("unsupported_media_type", "throttled", "required", "null", "blank", "max_length", "min_value", "max_value", "invalid_choice"),
        *("null_characters_not_allowed", "shape", "whole"),
    }
    assert written - codes(HubError) - frameworks == set()


@pytest.mark.timeout(120)
def test_the_tour_runs(live_hub: LiveHub) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    env = {**os.environ, "HUB": live_hub.url, "SANDBOX": live_hub.sandbox}
    people, partner = scripts()
    done = subprocess.run(["bash", "-eu", "-c", people], env=env, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["3", "top-up: posted", "posted", "posted", "3000", "Asa T.", ""]

    with scope(SYSTEM):
        bo = Person.objects.get(email="tour.bo@example.com")
        wallet_open(party_id=bo.party_id, currency="EUR", now=clock.now())
        made = partner_create(name="Ledger Books", redirect_uris=[], party=bo.party, answers=bo, now=clock.now())
    env |= {"CLIENT_ID": made.application.client_id, "CLIENT_SECRET": made.client_secret}
    tools = people.split('AUTH="')[0]
    done = subprocess.run(["bash", "-eu", "-c", tools + partner], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["Ledger Books", "EUR", ""]
