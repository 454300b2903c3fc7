from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.approvals import approval_confirm, approval_request
from accounts.errors import ApprovalInvalid, PayeeClosed, PayeeUnknown
from accounts.models import Approval, Party, Person
from accounts.services import business_open, membership_add
from compliance.errors import LimitExceeded
from compliance.models import LimitRule, Usage
from core.errors import HubError, NotFound
from core.idempotency import IdempotencyConflict
from core.models import DueWork, Event
from core.money import AmountNotPositive, AmountTooLarge, CurrencyMismatch, Money
from payments.errors import NotReversible, NotWaitingForApproval, PayeeIsSelf
from payments.models import Payment, PaymentStep
from payments.services import (
    Outcome,
    transfer_approval_request,
    transfer_approve,
    transfer_cancel,
    transfer_expire,
    transfer_preview,
    transfer_reverse,
)
from payments.services.transfers import _action
from tests.unit.payments.conftest import PASSWORD, Customer, eur, fund, reloaded
from wallets.errors import InsufficientFunds, WalletClosed, WalletNotFound
from wallets.models import Wallet
from wallets.services import wallet_close, wallet_open


def used(customer: Customer, window: str, starts_on: date) -> int:
    row = Usage.objects.filter(party_id=customer.party_id, window=window, starts_on=starts_on, direction="out").first()
    return row.amount_minor if row else 0


@pytest.mark.django_db
class TestTransferSend:
    @pytest.mark.parametrize("payee", ["bosse@example.com", " BOSSE@Example.com ", "@bosse", "bosse"])
    def test_moves_money_to_an_address_or_a_handle(self, astrid: Customer, bo: Customer, now: datetime, payee: str) -> None:
        movement = astrid.send(payee, eur(20_00), note="for lunch", now=now)
        assert movement.outcome is Outcome.POSTED
        assert (astrid.balance(), bo.balance()) == (80_00, 20_00)
        payment = Payment.objects.get()
        assert (payment.note, payment.settled_at, payment.wallet_to) == ("for lunch", now, bo.wallet)
        assert [(step.state, step.at) for step in payment.steps.all()] == [("posted", now)]

    def test_tells_with_ids_and_codes_only(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        movement = astrid.send("@bosse", eur(20_00), note="a secret", now=now)
        event = Event.objects.get(name="payments.transfer.posted")
        assert event.party_id == astrid.party_id
        assert event.data == {
            "payment_id": str(movement.payment.id),
            "payee_party": str(bo.party_id),
            "amount": 20_00,
            "currency": "EUR",
        }

    def test_counts_against_the_payers_limits_only(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        astrid.send("@bosse", eur(20_00), now=now)
        assert used(astrid, "day", date(2026, 3, 11)) == 20_00
        assert used(bo, "day", date(2026, 3, 11)) == 0

    def test_opens_a_wallet_for_a_payee_who_has_none_in_the_currency(
        self, customer: Callable[..., Customer], bo: Customer, now: datetime
    ) -> None:
        sven = customer("sven", balance=500_00, currency="SEK")
        sven.send("@bosse", Money(100_00, "SEK"), now=now)
        assert bo.balance("SEK") == 100_00

    def test_the_note_is_not_readable_in_the_table(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        astrid.send("@bosse", eur(1_00), note="a secret", now=now)
        with connection.cursor() as cursor:
            cursor.execute("SELECT note FROM payments_payment")
            assert b"secret" not in bytes(cursor.fetchone()[0])


@pytest.mark.django_db
class TestBadInput:
    """Each refusal has a code and a field of its own, and leaves nothing behind."""

    def refused(self, error: type[HubError], code: str, field: str | None, send: Callable[[], object]) -> HubError:
        with pytest.raises(error) as caught:
            send()
        assert (caught.value.code, caught.value.field) == (code, field)
        assert not Payment.objects.exists()
        assert not Usage.objects.filter(amount_minor__gt=0).exists()
        return caught.value

    @pytest.mark.parametrize("payee", ["nobody@example.com", "@nobody", "", "   ", "@", "x" * 5000, "bosse@", "\x00", "' OR 1=1 --"])
    def test_an_unknown_payee(self, astrid: Customer, bo: Customer, now: datetime, payee: str) -> None:
        self.refused(PayeeUnknown, "payee_unknown", "payee", lambda: astrid.send(payee, eur(1_00), now=now))

    @pytest.mark.parametrize("payee", ["astrid@example.com", "@astrid"])
    def test_oneself(self, astrid: Customer, now: datetime, payee: str) -> None:
        self.refused(PayeeIsSelf, "payee_is_self", "payee", lambda: astrid.send(payee, eur(1_00), now=now))

    def test_a_closed_account(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        Party.objects.filter(id=bo.party_id).update(state="closed", closed_at=now)
        self.refused(PayeeClosed, "payee_closed", "payee", lambda: astrid.send("@bosse", eur(1_00), now=now))

    @pytest.mark.parametrize("minor", [0, -1, -(10**9)])
    def test_an_amount_that_is_not_positive(self, astrid: Customer, bo: Customer, now: datetime, minor: int) -> None:
        self.refused(AmountNotPositive, "amount_not_positive", "amount", lambda: astrid.send("@bosse", eur(minor), now=now))

    @pytest.mark.parametrize("minor", [2**63, 10**400])
    def test_an_amount_beyond_measure(self, astrid: Customer, bo: Customer, now: datetime, minor: int) -> None:
        self.refused(AmountTooLarge, "amount_too_large", "amount", lambda: astrid.send("@bosse", eur(minor), now=now))

    def test_another_currency(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        self.refused(CurrencyMismatch, "currency_mismatch", "amount", lambda: astrid.send("@bosse", Money(1_00, "SEK"), now=now))

    def test_a_closed_wallet(self, customer: Callable[..., Customer], bo: Customer, now: datetime) -> None:
        empty = customer("empty")
        wallet_close(wallet=empty.wallet, now=now)
        self.refused(WalletClosed, "wallet_closed", None, lambda: empty.send("@bosse", eur(1_00), now=now))

    def test_somebody_elses_wallet(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        self.refused(
            WalletNotFound, "wallet_not_found", None, lambda: bo.send("@astrid", eur(1_00), now=now, source_wallet_id=astrid.wallet.id)
        )

    def test_a_party_that_is_not_theirs(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        self.refused(
            NotFound,
            "not_found",
            None,
            lambda: bo.send("@bosse", eur(1_00), now=now, party_id=astrid.party_id, source_wallet_id=astrid.wallet.id),
        )

    def test_more_than_there_is(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        self.refused(InsufficientFunds, "insufficient_funds", "amount", lambda: astrid.send("@bosse", eur(100_01), now=now))

    def test_more_than_the_limit(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        fund(astrid.wallet, 200_00, now)
        error = self.refused(LimitExceeded, "limit_exceeded", "amount", lambda: astrid.send("@bosse", eur(150_01), now=now))
        assert error.extra["window"] == "payment"

    def test_more_than_the_payee_may_hold(self, customer: Callable[..., Customer], now: datetime) -> None:
        rich, full = customer("rich", balance=1_000_00, level=1), customer("full", balance=450_00)
        error = self.refused(LimitExceeded, "limit_exceeded", "amount", lambda: rich.send("@full", eur(50_01), now=now))
        assert error.extra["window"] == "balance"
        assert full.balance() == 450_00

    def test_a_currency_without_a_rate(self, customer: Callable[..., Customer], bo: Customer, now: datetime) -> None:
        kuwaiti = customer("kuwaiti", balance=1_000, currency="KWD")
        with pytest.raises(HubError) as caught:
            kuwaiti.send("@bosse", Money(1_000, "KWD"), now=now)
        assert caught.value.code == "rate_missing"

    @pytest.mark.parametrize("key", ["x" * 256, "with space", "\n"])
    def test_a_key_of_the_wrong_shape(self, astrid: Customer, bo: Customer, now: datetime, key: str) -> None:
        with pytest.raises(HubError) as caught:
            astrid.send("@bosse", eur(1_00), key=key, now=now)
        assert caught.value.code.startswith("idempotency_key_")

    def test_a_note_that_is_too_long(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        with pytest.raises(HubError) as caught:
            astrid.send("@bosse", eur(1_00), note="x" * 141, now=now)
        assert (caught.value.code, caught.value.field) == ("note_too_long", "note")


@pytest.mark.django_db
class TestReplay:
    def test_the_same_key_and_request_is_one_payment(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        first = astrid.send("@bosse", eur(20_00), key="k", note="hi", now=now)
        again = astrid.send("@bosse", eur(20_00), key="k", note="hi", now=now + timedelta(days=3))
        assert again.payment == first.payment
        assert (first.replayed, again.replayed) == (False, True)
        assert bo.balance() == 20_00

    @pytest.mark.parametrize("change", [{"amount": eur(20_01)}, {"payee": "@astrid2"}, {"note": "ho"}])
    def test_the_same_key_for_something_else_is_refused(
        self, astrid: Customer, bo: Customer, now: datetime, change: dict[str, Any]
    ) -> None:
        astrid.send("@bosse", eur(20_00), key="k", note="hi", now=now)
        with pytest.raises(IdempotencyConflict):
            astrid.send(**{"payee": "@bosse", "amount": eur(20_00), "note": "hi", **change}, key="k", now=now)
        assert bo.balance() == 20_00

    def test_a_key_is_its_partys_own(self, astrid: Customer, customer: Callable[..., Customer], bo: Customer, now: datetime) -> None:
        other = customer("other", balance=50_00)
        astrid.send("@bosse", eur(1_00), key="k", now=now)
        other.send("@bosse", eur(2_00), key="k", now=now)
        assert bo.balance() == 3_00

    def test_a_refused_request_may_be_tried_again_under_its_key(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        with pytest.raises(InsufficientFunds):
            bo.send("@astrid", eur(5_00), key="k", now=now)
        fund(bo.wallet, 5_00, now)
        assert bo.send("@astrid", eur(5_00), key="k", now=now).outcome is Outcome.POSTED


@pytest.mark.django_db
class TestApproval:
    def ask(self, astrid: Customer, now: datetime, amount: Money | None = None, **more: Any) -> Payment:
        movement = astrid.send("@bosse", amount or eur(50_00), now=now, **more)
        assert movement.outcome is Outcome.REQUIRES_APPROVAL
        return movement.payment

    def confirm(self, payment: Payment, customer: Customer, now: datetime) -> Approval:
        assert payment.approval_id is not None
        return approval_confirm(customer.person, payment.approval_id, password=PASSWORD, now=now)

    def test_above_30_eur_the_person_is_asked_and_nothing_moves(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        assert astrid.send("@bosse", eur(30_00), now=now).outcome is Outcome.POSTED
        payment = self.ask(astrid, now, eur(30_01))
        assert (bo.balance(), used(astrid, "day", date(2026, 3, 11))) == (30_00, 30_00)
        approval = payment.approval
        assert approval is not None
        assert approval.action["amount"] == 30_01
        assert approval.action["payee"] == str(bo.party_id)

    def test_once_confirmed_the_payment_goes_on(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = self.ask(astrid, now)
        self.confirm(payment, astrid, now)
        later = now + timedelta(minutes=1)
        assert transfer_approve(by=astrid.person, payment_id=payment.id, now=later).outcome is Outcome.POSTED
        assert bo.balance() == 50_00
        assert [step.state for step in PaymentStep.objects.order_by("id")] == ["requires_approval", "posted"]
        assert transfer_approve(by=astrid.person, payment_id=payment.id, now=later).replayed

    def test_unconfirmed_it_does_not(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = self.ask(astrid, now)
        with pytest.raises(ApprovalInvalid):
            transfer_approve(by=astrid.person, payment_id=payment.id, now=now)
        assert bo.balance() == 0

    def test_an_approval_for_less_does_not_count(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = self.ask(astrid, now)
        cheaper = self.ask(astrid, now, eur(40_00))
        assert cheaper.approval_id is not None
        self.confirm(cheaper, astrid, now)
        with pytest.raises(ApprovalInvalid):
            transfer_approve(by=astrid.person, payment_id=payment.id, approval_id=cheaper.approval_id, now=now)

    def test_given_along_it_is_taken_at_once(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        wanted = Payment(payee_party_id=bo.party_id, wallet_from=astrid.wallet, amount_minor=50_00, currency="EUR")
        approval = approval_request(astrid.person, _action(wanted), now)
        approval_confirm(astrid.person, approval.id, password=PASSWORD, now=now)
        assert astrid.send("@bosse", eur(50_00), approval_id=approval.id, now=now).outcome is Outcome.POSTED
        with pytest.raises(ApprovalInvalid):
            astrid.send("@bosse", eur(50_00), approval_id=approval.id, now=now)

    def test_everything_is_checked_again(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = self.ask(astrid, now)
        for _ in range(3):
            astrid.send("@bosse", eur(20_00), now=now)
        self.confirm(payment, astrid, now)
        with pytest.raises(InsufficientFunds):
            transfer_approve(by=astrid.person, payment_id=payment.id, now=now)
        fund(astrid.wallet, 10_00, now)
        # The refusal left the approval unspent.
        assert transfer_approve(by=astrid.person, payment_id=payment.id, now=now).outcome is Outcome.POSTED

    def test_what_would_be_refused_is_refused_before_asking(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        for amount, error in ((eur(120_00), InsufficientFunds), (eur(200_00), LimitExceeded)):
            with pytest.raises(error):
                astrid.send("@bosse", amount, now=now)
        assert not Payment.objects.exists()

    def test_without_the_person_nothing_is_exempt(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        self.ask(astrid, now, eur(1_00), present=False)

    def test_a_business_of_their_own_needs_no_approval(self, astrid: Customer, now: datetime) -> None:
        shop = business_open(by=astrid.person, name="Astrid's Shop", now=now)
        shop.handle = "astridshop"
        shop.save()
        assert astrid.send("@astridshop", eur(99_00), now=now).outcome is Outcome.POSTED

    def test_after_a_day_it_expires(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = self.ask(astrid, now)
        assert DueWork.objects.get(kind="payments.transfer_expire").due_at == now + timedelta(days=1)
        assert transfer_expire(payment_id=payment.id, now=now + timedelta(hours=23)).state == "requires_approval"
        assert transfer_expire(payment_id=payment.id, now=now + timedelta(days=1)).state == "expired"
        with pytest.raises(NotWaitingForApproval):
            transfer_approve(by=astrid.person, payment_id=payment.id, now=now + timedelta(days=1))

    def test_it_may_be_cancelled_and_asked_for_again(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = self.ask(astrid, now)
        later = now + timedelta(minutes=10)
        again = transfer_approval_request(by=astrid.person, payment_id=payment.id, now=later)
        assert again.approval_id not in (None, payment.approval_id)
        assert transfer_cancel(by=astrid.person, payment_id=payment.id, now=later).payment.state == "cancelled"
        with pytest.raises(NotWaitingForApproval):
            transfer_approve(by=astrid.person, payment_id=payment.id, now=later)

    def test_it_is_nobody_elses(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = self.ask(astrid, now)
        for act in (transfer_approve, transfer_cancel, transfer_approval_request):
            with pytest.raises(NotFound):
                act(by=bo.person, payment_id=payment.id, now=now)


@pytest.mark.django_db
class TestRoles:
    def test_a_viewer_of_a_business_cannot_pay_from_it(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        shop = business_open(by=astrid.person, name="Shop", now=now)
        wallet = wallet_open(party_id=shop.id, currency="EUR", now=now)
        fund(wallet, 50_00, now)
        membership_add(by=astrid.person, party_id=shop.id, person=bo.person, role="viewer", now=now)
        with pytest.raises(HubError) as caught:
            bo.send("@bosse", eur(1_00), now=now, party_id=shop.id, source_wallet_id=wallet.id)
        assert caught.value.code == "role_forbidden"
        assert astrid.send("@bosse", eur(1_00), now=now, party_id=shop.id, source_wallet_id=wallet.id).outcome is Outcome.POSTED


@pytest.mark.django_db
class TestPreview:
    def test_shows_whom_and_moves_nothing(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        preview = transfer_preview(
            by=astrid.person, party_id=astrid.party_id, source_wallet_id=astrid.wallet.id, payee="@bosse", amount=eur(50_00), now=now
        )
        assert (preview.payee.display_name, preview.needs_approval) == ("Bosse E.", True)
        assert not Payment.objects.exists()
        assert not Usage.objects.filter(amount_minor__gt=0).exists()

    def test_refuses_what_sending_would_refuse(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        with pytest.raises(InsufficientFunds):
            transfer_preview(
                by=astrid.person, party_id=astrid.party_id, source_wallet_id=astrid.wallet.id, payee="@bosse", amount=eur(120_00), now=now
            )


@pytest.mark.django_db
class TestReverse:
    def reverse(self, officer: Person, payment: Payment, now: datetime, key: str = "r") -> Any:
        return transfer_reverse(by=officer, payment_id=payment.id, reason="mistake", idempotency_key=key, now=now)

    def test_gives_back_the_money_and_the_limits_of_the_original_day(
        self, astrid: Customer, bo: Customer, officer: Person, now: datetime
    ) -> None:
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        tomorrow = now + timedelta(days=1)
        assert used(astrid, "day", date(2026, 3, 11)) == 20_00
        reversal = self.reverse(officer, payment, tomorrow).payment
        assert (astrid.balance(), bo.balance()) == (100_00, 0)
        assert used(astrid, "day", date(2026, 3, 11)) == used(astrid, "month", date(2026, 3, 1)) == 0
        assert (reloaded(payment).state, reversal.kind, reversal.state, reversal.original) == ("reversed", "reversal", "posted", payment)

    def test_once(self, astrid: Customer, bo: Customer, officer: Person, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        self.reverse(officer, payment, now)
        assert self.reverse(officer, payment, now).replayed
        with pytest.raises(NotReversible):
            self.reverse(officer, payment, now, key="another")
        assert astrid.balance() == 100_00

    def test_not_what_is_spent(
        self, astrid: Customer, bo: Customer, customer: Callable[..., Customer], officer: Person, now: datetime
    ) -> None:
        customer("cleo")
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        bo.send("@cleo", eur(20_00), now=now)
        with pytest.raises(InsufficientFunds):
            self.reverse(officer, payment, now)
        assert used(astrid, "day", date(2026, 3, 11)) == 20_00
        assert reloaded(payment).state == "posted"

    def test_not_by_customers(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        with pytest.raises(HubError) as caught:
            self.reverse(astrid.person, payment, now)
        assert caught.value.code == "forbidden"


def together(number: int, act: Callable[[int], object]) -> list[object]:
    """Run in so many threads at once; gives what each returned or raised."""
    start = threading.Barrier(number)
    results: list[object] = [None] * number

    def run(index: int) -> None:
        try:
            start.wait()
            results[index] = act(index)
        except HubError as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class TestParallel:
    def test_fifty_at_once_never_pass_the_limit(self, fresh_db: str, customer: Callable[..., Customer], now: datetime) -> None:
        astrid, bo = customer("astrid", balance=400_00), customer("bosse")
        results = together(50, lambda _: astrid.send("@bosse", eur(10_00), now=now))
        refused = [result for result in results if isinstance(result, LimitExceeded)]
        assert (len(refused), bo.balance(), astrid.balance()) == (35, 150_00, 250_00)
        assert used(astrid, "day", date(2026, 3, 11)) == 150_00
        assert Payment.objects.count() == 15

    def test_fifty_at_once_never_pass_the_balance(self, fresh_db: str, customer: Callable[..., Customer], now: datetime) -> None:
        astrid, bo = customer("astrid", balance=70_00, level=1), customer("bosse")
        results = together(50, lambda _: astrid.send("@bosse", eur(10_00), now=now))
        assert sum(isinstance(result, InsufficientFunds) for result in results) == 43
        assert (astrid.balance(), bo.balance()) == (0, 70_00)
        assert used(astrid, "day", date(2026, 3, 11)) == 70_00

    def test_many_payers_never_bring_a_payee_above_what_they_may_hold(
        self, fresh_db: str, customer: Callable[..., Customer], now: datetime
    ) -> None:
        bo = customer("bosse", balance=400_00)
        payers = [customer(f"payer{number}", balance=30_00) for number in range(12)]
        together(12, lambda number: payers[number].send("@bosse", eur(30_00), now=now))
        assert bo.balance() == 490_00

    def test_one_key_twelve_times_at_once_is_one_payment(self, fresh_db: str, customer: Callable[..., Customer], now: datetime) -> None:
        # Exactly enough for one, so that whoever comes second finds neither room nor money.
        astrid, bo = customer("astrid", balance=30_00), customer("bosse")
        LimitRule.objects.filter(level=3, window="day", direction="out").update(amount_minor=30_00)
        results = together(12, lambda _: astrid.send("@bosse", eur(30_00), key="one", now=now))
        assert {result.payment.id for result in results} == {Payment.objects.get().id}  # type: ignore[attr-defined]
        assert bo.balance() == 30_00

    def test_there_and_back_at_once_does_not_deadlock(self, fresh_db: str, customer: Callable[..., Customer], now: datetime) -> None:
        pair = [customer("astrid", balance=400_00, level=1), customer("bosse", balance=400_00, level=1)]
        names = ["@bosse", "@astrid"]
        results = together(40, lambda number: pair[number % 2].send(names[number % 2], eur(1_00), now=now))
        assert not [result for result in results if isinstance(result, HubError)]
        assert (pair[0].balance(), pair[1].balance()) == (400_00, 400_00)

    def test_a_first_wallet_opened_by_two_payers_at_once_is_one(
        self, fresh_db: str, customer: Callable[..., Customer], now: datetime
    ) -> None:
        bo = customer("bosse")
        payers = [customer(f"payer{number}", balance=300_00, currency="SEK") for number in range(6)]
        together(6, lambda number: payers[number].send("@bosse", Money(100_00, "SEK"), now=now))
        assert Wallet.objects.filter(party_id=bo.party_id, currency="SEK").count() == 1
        assert bo.balance("SEK") == 600_00
