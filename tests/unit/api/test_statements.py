"""Statements over the API, in every form."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import Person
from core import clock
from core.money import Money
from formats.statements import reading
from payments.services import transfer_send
from tests.unit.api.conftest import Api, eur
from wallets.models import Wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def year(asa: Person, asa_wallet: Wallet, bo_wallet: Wallet) -> dict[str, str]:
    transfer_send(
        by=asa,
        party_id=asa.party_id,
        source_wallet_id=asa_wallet.id,
        payee="@boek",
        amount=Money(12_34, "EUR"),
        note="=1+1",
        idempotency_key="s",
        now=clock.now(),
    )
    today = clock.now().date()
    return {"from": today.replace(day=1, month=1).isoformat(), "to": today.replace(day=31, month=12).isoformat()}


def test_says_who_was_paid_and_adds_up(as_asa: Api, asa_wallet: Wallet, year: dict[str, str]) -> None:
    found = as_asa.get(f"/wallets/{asa_wallet.id}/statements", **year).json()
    assert (found["opening"], found["money_in"], found["money_out"], found["closing"]) == (eur(0), eur(100_00), eur(12_34), eur(87_66))
    assert (found["lines"], found["next_cursor"]) == (2, None)
    line = found["items"][1]
    assert (line["kind"], line["counterparty"], line["note"], line["amount"]) == ("transfer", "Bo E.", "=1+1", eur(-12_34))
    assert line["payment_id"]


def test_pages_follow_each_other(as_asa: Api, asa_wallet: Wallet, year: dict[str, str]) -> None:
    first = as_asa.get(f"/wallets/{asa_wallet.id}/statements", limit=1, **year).json()
    second = as_asa.get(f"/wallets/{asa_wallet.id}/statements", limit=1, cursor=first["next_cursor"], **year).json()
    assert [row["seq"] for row in first["items"] + second["items"]] == [1, 2]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("form", "kind"),
    [("csv", "text/csv; charset=utf-8"), ("ofx", "application/x-ofx"), ("camt053", "application/xml"), ("pdf", "application/pdf")],
)
def test_comes_as_a_file(as_asa: Api, asa_wallet: Wallet, year: dict[str, str], form: str, kind: str) -> None:
    answer = as_asa.get(f"/wallets/{asa_wallet.id}/statements", format=form, **year)
    data = b"".join(answer.streaming_content)
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, kind, "no-store")
    assert answer["Content-Disposition"].startswith('attachment; filename="statement-EUR-')
    if form == "pdf":
        assert data.startswith(b"%PDF")
        return
    found = reading.read(data)
    assert (found.closing, found.transactions[1].counterparty, found.transactions[1].description) == (Decimal("87.66"), "Bo E.", "=1+1")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "invalid"),
        ({"from": "2026-01-01"}, "required"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "period_invalid"),
        ({"from": "0001-01-01", "to": "9999-12-31"}, "period_invalid"),
        ({"from": "2026-01-01", "to": "2026-01-02", "format": "docx"}, "invalid_choice"),
        ({"from": "2026-01-01", "to": "2026-01-02", "time_zone": "../../etc/passwd"}, "time_zone_unknown"),
        ({"from": "2026-01-01", "to": "2026-01-02", "time_zone": "Mars/Base"}, "time_zone_unknown"),
        ({"from": "2026-01-01", "to": "2026-01-02", "cursor": "x"}, "cursor_invalid"),
    ],
)
def test_refuses_what_cannot_be(as_asa: Api, asa_wallet: Wallet, query: dict[str, str], code: str) -> None:
    answer = as_asa.get(f"/wallets/{asa_wallet.id}/statements", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_days_are_those_of_the_zone_that_is_named(as_asa: Api, asa_wallet: Wallet) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        answer = as_asa.get(f"/wallets/{asa_wallet.id}/statements", **{"from": "2000-01-01", "to": "2090-01-01", "time_zone": zone})
        assert answer.json()["closing"] == eur(100_00)
