"""Money out to bank accounts, against the sandbox's bank in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from django.db import connection

from accounts.approvals import approval_confirm
from accounts.errors import ApprovalInvalid
from compliance.errors import LimitExceeded
from compliance.models import Usage
from core import clock, due, privacy
from core.errors import NotFound
from core.ids import uuid7
from core.models import DueWork, Event
from core.money import AmountInvalid, CurrencyMismatch, Money
from payments.errors import BankRefused, HolderRequired, IbanInvalid, NoteTooLong, NotWaitingForApproval
from payments.models import BankAccount, Payment, State
from payments.services import (
    Movement,
    payout_approval_request,
    payout_approve,
    payout_cancel,
    payout_preview,
    payout_send,
)
from tests.unit.payments.conftest import PASSWORD, Customer, customer_make, eur, reloaded
from tests.unit.sandbox import outside
from wallets import selectors as wallets
from wallets.errors import InsufficientFunds, WalletNotFound
from wallets.services import wallet_open

GOOD = "DE89 3704 0044 0532 0130 00"
CLOSED, LATE, REFUSED, LATER = "DE41370400440000000001", "DE14370400440000000002", "DE84370400440000000003", "DE57370400440000000004"


@pytest.fixture
def astrid(bank: outside.Sandbox) -> Customer:
    return customer_make("astrid", balance=100_00)


@pytest.fixture
def bo(bank: outside.Sandbox) -> Customer:
    return customer_make("bosse")


def pay(who: Customer, amount: Money | None = None, *, iban: str = GOOD, key: str = "", **more: Any) -> Movement:
    asked: dict[str, Any] = {
        "by": who.person,
        "party_id": who.party_id,
        "source_wallet_id": who.wallet.id,
        "iban": iban,
        "name": "Land  Lord",
        "amount": amount if amount is not None else eur(20_00),
        "note": "Rent",
        "idempotency_key": key or str(uuid7()),
        "now": clock.now(),
        **more,
    }
    return payout_send(**asked)


def sweep(monkeypatch: pytest.MonkeyPatch, ahead: timedelta = timedelta(hours=2)) -> None:
    now, real = clock.now() + ahead, clock.real() + ahead
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: now)
        patch.setattr(clock, "real", lambda: real)
        due.sweep(kinds=["payments.payout_check", "payments.payout_expire"])


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return lambda ahead=timedelta(hours=2): sweep(monkeypatch, ahead)


def at_bank(bank: outside.Sandbox, payment: Payment) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{bank.url}/bank/v1/transfers",
        params={"client_id": str(payment.id)},
        headers={"Authorization": "Bearer bk_test_of_these_tests"},
        timeout=5,
    )
    found: list[dict[str, Any]] = answer.json()["transfers"]
    return found


def balances(who: Customer) -> tuple[int, int]:
    found = wallets.balance_of(who.wallet)
    return found.posted.amount, found.held.amount


def used(who: Customer) -> int:
    return sum(Usage.objects.filter(party_id=who.party_id, window="day").values_list("amount_minor", flat=True))


class TestSending:
    def test_holds_orders_and_captures(self, astrid: Customer, bank: outside.Sandbox, swept: Callable[..., None]) -> None:
        payment = pay(astrid).payment
        assert (payment.state, balances(astrid)) == ("waiting", (100_00, 20_00))
        [order] = at_bank(bank, payment)
        assert (order["amount"], order["creditor"], order["text"]) == (
            2000,
            {"iban": "DE89370400440532013000", "name": "Land Lord"},
            "Rent",
        )
        bank.control("settle")
        swept()
        assert (reloaded(payment).state, balances(astrid)) == ("posted", (80_00, 0))
        assert Event.objects.filter(name="payments.payout.posted").count() == 1
        swept(timedelta(days=5))
        assert balances(astrid) == (80_00, 0)

    def test_keeps_the_iban_encrypted(self, astrid: Customer, bank: outside.Sandbox) -> None:
        pay(astrid)
        pay(astrid)
        with connection.cursor() as cursor:
            cursor.execute("SELECT iban, name FROM payments_bankaccount")
            [(iban, name)] = cursor.fetchall()
        assert b"DE89" not in bytes(iban)
        assert b"Lord" not in bytes(name)
        assert BankAccount.objects.get().iban_short == "DE…3000"
        assert "DE89" not in str(list(Event.objects.values_list("data")))

    def test_the_party_gets_its_accounts_until_it_is_erased(self, astrid: Customer, bank: outside.Sandbox) -> None:
        pay(astrid)
        [row] = privacy.export(astrid.party_id)["payments"]["bank_accounts"]
        assert (row["iban"], row["holder"]) == ("DE89370400440532013000", "Land Lord")
        privacy.erase(astrid.party_id, now=clock.now())
        assert BankAccount.objects.get().iban == ""

    def test_the_same_key_is_one_payout(self, astrid: Customer, bank: outside.Sandbox) -> None:
        first = pay(astrid, key="k")
        second = pay(astrid, key="k")
        assert (second.payment.id, second.replayed, balances(astrid)) == (first.payment.id, True, (100_00, 20_00))

    def test_a_refusal_gives_the_money_and_the_limits_back(self, astrid: Customer, bank: outside.Sandbox) -> None:
        payment = pay(astrid, iban=REFUSED).payment
        assert (payment.state, payment.failure_code, balances(astrid), used(astrid)) == ("failed", "AC01", (100_00, 0), 0)

    def test_sent_back_before_it_settled(self, astrid: Customer, bank: outside.Sandbox, swept: Callable[..., None]) -> None:
        payment = pay(astrid, iban=CLOSED).payment
        bank.control("settle")
        swept()
        assert (reloaded(payment).state, reloaded(payment).failure_code) == ("failed", "AC04")
        assert (balances(astrid), used(astrid)) == ((100_00, 0), 0)

    def test_sent_back_days_after_it_settled(self, astrid: Customer, bank: outside.Sandbox, swept: Callable[..., None]) -> None:
        payment = pay(astrid).payment
        bank.control("settle")
        swept()
        bank.control(f"bank/{payment.provider.object_id}/return")
        swept(timedelta(days=2))
        assert (reloaded(payment).state, reloaded(payment).failure_code, balances(astrid)) == ("failed", "MS03", (100_00, 0))
        assert DueWork.objects.get(kind="payments.payout_check").state == "done"


class TestUnknown:
    @pytest.mark.parametrize("mode", ["timeout_after_commit", "error_500_after_commit"])
    def test_an_answer_that_never_came_is_looked_up(
        self, astrid: Customer, bank: outside.Sandbox, swept: Callable[..., None], mode: str
    ) -> None:
        bank.faults(bank_create=mode, seconds=4, count=1)
        payment = pay(astrid).payment
        assert (payment.state, balances(astrid)) == ("unknown", (100_00, 20_00))
        bank.control("settle")
        swept()
        assert (reloaded(payment).state, balances(astrid), len(at_bank(bank, payment))) == ("posted", (80_00, 0), 1)

    @pytest.mark.parametrize("mode", ["timeout_before_commit", "error_500", "rate_limited"])
    def test_an_order_that_never_arrived_is_given_again(
        self, astrid: Customer, bank: outside.Sandbox, swept: Callable[..., None], mode: str
    ) -> None:
        bank.faults(bank_create=mode, seconds=4, count=1)
        payment = pay(astrid).payment
        assert (payment.state, at_bank(bank, payment)) == ("unknown", [])
        swept()
        assert reloaded(payment).state == "waiting"
        assert len(at_bank(bank, payment)) == 1

    def test_a_bank_that_is_away_keeps_the_money_held(
        self, astrid: Customer, bank: outside.Sandbox, swept: Callable[..., None], settings: Any
    ) -> None:
        from payments import gateways

        settings.BANK_API_BASE = "http://127.0.0.1:1"
        gateways.bank_gateway.cache_clear()
        payment = pay(astrid).payment
        swept()
        assert (reloaded(payment).state, balances(astrid)) == ("unknown", (100_00, 20_00))
        settings.BANK_API_BASE = bank.url
        gateways.bank_gateway.cache_clear()
        swept(timedelta(hours=3))
        assert reloaded(payment).state == "waiting"

    def test_one_the_bank_never_heard_of_is_given_up_after_a_day(
        self, astrid: Customer, bank: outside.Sandbox, swept: Callable[..., None]
    ) -> None:
        bank.faults(bank_create="error_500")
        payment = pay(astrid).payment
        swept(timedelta(hours=25))
        assert (reloaded(payment).state, reloaded(payment).failure_code, balances(astrid)) == ("failed", "bank_unreachable", (100_00, 0))

    def test_another_amount_at_the_bank_is_never_taken(self, astrid: Customer, bank: outside.Sandbox, swept: Callable[..., None]) -> None:
        payment = pay(astrid).payment
        Payment.objects.filter(id=payment.id).update(amount_minor=19_99)
        bank.control("settle")
        swept()
        assert (reloaded(payment).state, balances(astrid)) == ("waiting", (100_00, 20_00))
        assert DueWork.objects.get(kind="payments.payout_check").error == "ProviderMismatch"


class TestApproval:
    def test_above_the_exemption_a_person_approves_this_account(self, astrid: Customer, bank: outside.Sandbox) -> None:
        movement = pay(astrid, eur(50_00))
        payment = movement.payment
        assert (payment.state, balances(astrid), at_bank(bank, payment)) == ("requires_approval", (100_00, 0), [])
        assert movement.approval_id is not None
        with pytest.raises(ApprovalInvalid):
            payout_approve(by=astrid.person, payment_id=payment.id, now=clock.now())
        approval_confirm(astrid.person, movement.approval_id, password=PASSWORD, now=clock.now())
        done = payout_approve(by=astrid.person, payment_id=payment.id, now=clock.now())
        assert (done.payment.state, balances(astrid)) == ("waiting", (100_00, 50_00))
        assert payout_approve(by=astrid.person, payment_id=payment.id, now=clock.now()).replayed
        other = pay(astrid, eur(50_00), iban=LATE).payment
        with pytest.raises(ApprovalInvalid):
            payout_approve(by=astrid.person, payment_id=other.id, approval_id=movement.approval_id, now=clock.now())

    def test_a_partner_is_never_exempt(self, astrid: Customer, bank: outside.Sandbox) -> None:
        assert pay(astrid, present=False).payment.state == "requires_approval"

    def test_asked_again_cancelled_and_expired(
        self, astrid: Customer, bo: Customer, bank: outside.Sandbox, swept: Callable[..., None]
    ) -> None:
        first = pay(astrid, eur(50_00))
        again = payout_approval_request(by=astrid.person, payment_id=first.payment.id, now=clock.now())
        assert again.approval_id != first.approval_id
        with pytest.raises(NotFound):
            payout_cancel(by=bo.person, payment_id=first.payment.id, now=clock.now())
        payout_cancel(by=astrid.person, payment_id=first.payment.id, now=clock.now())
        with pytest.raises(NotWaitingForApproval):
            payout_approve(by=astrid.person, payment_id=first.payment.id, now=clock.now())
        late = pay(astrid, eur(50_00)).payment
        swept(timedelta(hours=25))
        assert reloaded(late).state == State.EXPIRED


class TestBadInput:
    @pytest.mark.parametrize(
        ("wrong", "error", "field"),
        [
            ({"iban": "DE89370400440532013001"}, IbanInvalid, "iban"),
            ({"iban": "hello"}, IbanInvalid, "iban"),
            ({"iban": ""}, IbanInvalid, "iban"),
            ({"iban": "ＤＥ89370400440532013000"}, IbanInvalid, "iban"),
            ({"name": " "}, HolderRequired, "holder"),
            ({"name": "x" * 71}, HolderRequired, "holder"),
            ({"note": "x" * 141}, NoteTooLong, "note"),
            ({"amount": eur(0)}, AmountInvalid, "amount"),
            ({"amount": Money(100, "SEK")}, CurrencyMismatch, "amount"),
            ({"amount": eur(100_01), "present": True}, InsufficientFunds, "amount"),
            ({"amount": eur(160_00)}, LimitExceeded, "amount"),
            ({"source_wallet_id": uuid7()}, WalletNotFound, None),
        ],
    )
    def test_is_refused_by_name_at_its_field(
        self, astrid: Customer, bank: outside.Sandbox, wrong: dict[str, Any], error: type[Any], field: str | None
    ) -> None:
        with pytest.raises(error) as caught:
            pay(astrid, **wrong)
        assert caught.value.field == field
        assert not Payment.objects.exists()
        assert balances(astrid) == (100_00, 0)

    def test_a_currency_the_bank_does_not_carry(self, astrid: Customer, bank: outside.Sandbox, now: datetime) -> None:
        yen = wallet_open(party_id=astrid.party_id, currency="JPY", now=now)
        with pytest.raises(BankRefused):
            pay(astrid, Money(100, "JPY"), source_wallet_id=yen.id)

    def test_a_preview_moves_nothing(self, astrid: Customer, bank: outside.Sandbox) -> None:
        asked: dict[str, Any] = {"by": astrid.person, "party_id": astrid.party_id, "source_wallet_id": astrid.wallet.id, "now": clock.now()}
        found = payout_preview(iban=GOOD.lower(), name="Land Lord", amount=eur(50_00), **asked)
        assert (found.iban, found.needs_approval) == ("DE89370400440532013000", True)
        assert not BankAccount.objects.exists()
        assert used(astrid) == 0
