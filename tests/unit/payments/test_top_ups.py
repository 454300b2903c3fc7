"""Top-ups, refunds and webhooks against the provider's real process; only time and its faults are arranged."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import Person
from compliance.errors import LimitExceeded
from compliance.models import Usage
from core import clock, due, privacy
from core.errors import Forbidden, HubError, NotFound
from core.idempotency import IdempotencyConflict
from core.models import DueWork, Event
from core.money import Money
from payments import gateways
from payments.errors import NotRefundable
from payments.handlers import suspended_try_again
from payments.models import Kind, Payment, PaymentStep, ProviderEvent, ProviderLink
from payments.services import TopUp, top_up_cancel, top_up_refresh, top_up_refund, top_up_start, webhook_process, webhook_receive
from payments.services.top_ups import _failed
from tests.unit.payments.conftest import Customer, customer_make, eur, fund, reloaded
from tests.unit.payments.test_transfers import together
from tests.unit.sandbox import outside
from wallets import ledger
from wallets.errors import InsufficientFunds, WalletNotFound
from wallets.services import wallet_close, wallet_open

DECLINED = "4000000000000002"
THREE_D_SECURE = "4000002500003155"


@pytest.fixture
def astrid(provider: outside.Sandbox) -> Customer:
    return customer_make("astrid")


@pytest.fixture
def boss(db: None) -> Person:
    return Person.objects.create_user("boss@example.com", "a long pass phrase", is_staff=True)


def start(customer: Customer, minor: int = 50_00, *, key: str = "k", now: datetime | None = None) -> TopUp:
    return top_up_start(by=customer.person, wallet_id=customer.wallet.id, amount=eur(minor), idempotency_key=key, now=now or clock.now())


def refresh(payment: Payment, now: datetime | None = None) -> Payment:
    return top_up_refresh(payment_id=payment.id, now=now or clock.now()).payment


def pay(provider: outside.Sandbox, payment: Payment, **how: str) -> str:
    session = ProviderLink.objects.get(payment=payment).object_id
    return str(provider.control(f"sessions/{session}/pay", **how)["state"])


def paid(provider: outside.Sandbox, customer: Customer, minor: int = 50_00, *, key: str = "k") -> Payment:
    payment = start(customer, minor, key=key).payment
    assert pay(provider, payment) == "paid"
    done = refresh(payment)
    assert done.state == "posted"
    return done


def states(payment: Payment) -> list[str]:
    return list(PaymentStep.objects.filter(payment=payment).order_by("id").values_list("state", flat=True))


def coming_in(customer: Customer) -> int:
    rows = Usage.objects.filter(party_id=customer.party_id, window="day", direction="in")
    return sum(row.amount_minor for row in rows)


def books_balance() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(amount), 0) FROM ledger_entry")
        return bool(cursor.fetchone()[0] == 0)


def posted_to(code: str) -> int:
    """What a system account has received, less what it has given."""
    account = ledger.system_account(code, "EUR")
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(amount), 0) FROM ledger_entry WHERE account = %s", [account])
        return int(cursor.fetchone()[0])


def sweep(*, ahead: timedelta = timedelta()) -> None:
    """Run due work as if so much time had passed, on the real clock otherwise."""
    if ahead:
        for work in DueWork.objects.filter(state="waiting"):
            work.due_at -= ahead
            work.save(update_fields=["due_at"])
    due.sweep()


class TestStart:
    def test_gives_the_providers_page_and_counts_what_may_come_in(self, astrid: Customer) -> None:
        top_up = start(astrid)
        assert (top_up.payment.state, states(top_up.payment)) == ("waiting", ["pending", "waiting"])
        assert "/pay/cs_test_" in top_up.url
        assert (astrid.balance(), coming_in(astrid)) == (0, 50_00)

    def test_the_same_key_is_the_same_page(self, astrid: Customer) -> None:
        first, again = start(astrid), start(astrid)
        assert (again.payment.id, again.url, again.replayed) == (first.payment.id, first.url, True)
        with pytest.raises(IdempotencyConflict):
            start(astrid, 60_00)
        assert coming_in(astrid) == 50_00

    def test_above_a_limit_nothing_begins(self, astrid: Customer) -> None:
        with pytest.raises(LimitExceeded):
            start(astrid, 150_01)
        start(astrid, 100_00)
        with pytest.raises(LimitExceeded) as caught:
            start(astrid, 50_01, key="another")
        assert (caught.value.extra["window"], caught.value.extra["left"]) == ("day", 50_00)
        assert Payment.objects.count() == 1

    def test_top_ups_under_way_take_room_from_the_balance(self, astrid: Customer) -> None:
        fund(astrid.wallet, 400_00, clock.now())
        start(astrid, 60_00)
        with pytest.raises(LimitExceeded) as caught:
            start(astrid, 50_00, key="another")
        assert caught.value.extra["window"] == "balance"

    def test_what_the_provider_refuses_fails_by_name_and_gives_the_limit_back(self, astrid: Customer) -> None:
        with pytest.raises(HubError) as caught:
            start(astrid, 1)
        assert (caught.value.code, caught.value.extra["provider_code"]) == ("provider_refused", "amount_too_small")
        assert (Payment.objects.get().state, coming_in(astrid)) == ("failed", 0)

    def test_a_wallet_of_somebody_else_is_not_there(self, astrid: Customer) -> None:
        with pytest.raises(WalletNotFound):
            top_up_start(
                by=customer_make("bosse").person, wallet_id=astrid.wallet.id, amount=eur(1_00), idempotency_key="k", now=clock.now()
            )

    @pytest.mark.parametrize("amount", [eur(0), eur(-1), eur(2**63), Money(10_00, "SEK")])
    def test_a_bad_amount_is_refused(self, astrid: Customer, amount: Money) -> None:
        with pytest.raises(HubError):
            top_up_start(by=astrid.person, wallet_id=astrid.wallet.id, amount=amount, idempotency_key="k", now=clock.now())
        assert not Payment.objects.exists()


class TestOutcomes:
    def test_paid_it_is_posted_once(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = paid(provider, astrid)
        refresh(payment)
        assert (astrid.balance(), posted_to("provider:stripe")) == (50_00, -50_00)
        assert states(payment) == ["pending", "waiting", "posted"]
        assert Event.objects.filter(name="payments.top_up.posted").count() == 1

    def test_three_d_secure(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = start(astrid).payment
        assert pay(provider, payment, card=THREE_D_SECURE) == "challenge"
        assert refresh(payment).state == "waiting"
        payment = start(astrid, key="second").payment
        assert pay(provider, payment, card=THREE_D_SECURE, challenge="approve") == "paid"
        assert refresh(payment).state == "posted"

    def test_a_declined_card_may_be_followed_by_another(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = start(astrid).payment
        assert pay(provider, payment, card=DECLINED) == "declined"
        assert refresh(payment).state == "waiting"
        assert astrid.balance() == 0
        pay(provider, payment)
        assert refresh(payment).state == "posted"

    def test_cancelled_it_gives_the_limit_back(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = start(astrid).payment
        assert top_up_cancel(by=astrid.person, payment_id=payment.id, now=clock.now()).payment.state == "expired"
        assert coming_in(astrid) == 0
        assert pay(provider, payment) == "closed"

    def test_cancelled_too_late_it_is_paid(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = start(astrid).payment
        pay(provider, payment)
        assert top_up_cancel(by=astrid.person, payment_id=payment.id, now=clock.now()).payment.state == "posted"

    def test_cancelling_is_for_its_owner(self, astrid: Customer) -> None:
        payment = start(astrid).payment
        with pytest.raises(NotFound):
            top_up_cancel(by=customer_make("bosse").person, payment_id=payment.id, now=clock.now())

    def test_another_amount_is_never_credited(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = start(astrid).payment
        Payment.objects.filter(id=payment.id).update(amount_minor=90_00)
        pay(provider, payment)
        done = refresh(payment)
        assert (done.state, done.failure_code, astrid.balance()) == ("held", "amount_mismatch", 0)
        assert refresh(payment).state == "held"


class TestUnknown:
    @pytest.mark.parametrize("fault", ["timeout_after_commit", "error_500_after_commit"])
    def test_an_answer_that_got_lost_is_found_by_the_sweep(self, astrid: Customer, provider: outside.Sandbox, fault: str) -> None:
        provider.faults(create=fault, seconds=4, count=2)
        top_up = start(astrid)
        assert (top_up.payment.state, top_up.url) == ("unknown", "")
        provider.faults(create="normal")
        sweep(ahead=timedelta(seconds=20))
        assert reloaded(top_up.payment).state == "waiting"
        # One page, not two: the first was found again.
        assert len(provider.api.v1.checkout.sessions.list({}).data) == 1
        pay(provider, top_up.payment)
        assert refresh(top_up.payment).state == "posted"
        assert astrid.balance() == 50_00

    def test_a_request_that_never_arrived_is_made_again(self, astrid: Customer, provider: outside.Sandbox) -> None:
        provider.faults(create="timeout_before_commit", seconds=4, count=2)
        payment = start(astrid).payment
        assert payment.state == "unknown"
        provider.faults(create="normal")
        sweep(ahead=timedelta(seconds=20))
        assert reloaded(payment).state == "waiting"

    def test_the_person_may_simply_try_again(self, astrid: Customer, provider: outside.Sandbox) -> None:
        provider.faults(create="error_500_after_commit", count=2)
        assert start(astrid).payment.state == "unknown"
        provider.faults(create="normal")
        again = start(astrid)
        assert Payment.objects.count() == 1
        assert again.payment.state in ("waiting", "unknown")

    def test_a_provider_that_stays_away_ends_it_and_the_limit_is_free(self, astrid: Customer, settings: Any) -> None:
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        gateways.gateway.cache_clear()
        payment = start(astrid).payment
        assert (payment.state, coming_in(astrid)) == ("unknown", 50_00)
        assert refresh(payment).state == "unknown"

    def test_a_lost_webhook_is_made_good_by_the_sweep(self, astrid: Customer, provider: outside.Sandbox) -> None:
        provider.faults(webhook="lost")
        payment = start(astrid).payment
        pay(provider, payment)
        sweep(ahead=timedelta(seconds=20))
        assert (reloaded(payment).state, astrid.balance()) == ("posted", 50_00)

    def test_no_network_is_used_inside_a_transaction(self, astrid: Customer) -> None:
        with transaction.atomic(), pytest.raises(RuntimeError, match="no network inside a transaction"):
            gateways.gateway("stripe").checkout_get("cs_test_1")

    def test_a_process_that_died_before_asking_is_made_good_by_the_sweep(
        self, astrid: Customer, provider: outside.Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("payments.services.top_ups._open_page", lambda *_: None)
            payment = start(astrid).payment
        assert payment.state == "pending"
        sweep(ahead=timedelta(seconds=20))
        assert reloaded(payment).state == "waiting"

    def test_without_a_provider_nothing_begins(self, astrid: Customer, settings: Any) -> None:
        settings.STRIPE_SECRET_KEY = ""
        gateways.gateway.cache_clear()
        with pytest.raises(HubError) as caught:
            start(astrid)
        assert (caught.value.code, caught.value.http_status) == ("provider_unavailable", 503)
        assert not Payment.objects.exists()


class TestParallel:
    def test_news_the_sweep_and_the_person_at_once_credit_once(self, fresh_db: str, provider_apart: outside.Sandbox) -> None:
        astrid = customer_make("astrid")
        payment = start(astrid).payment
        pay(provider_apart, payment)
        results = together(12, lambda _: refresh(payment).state)
        assert set(results) == {"posted"}
        assert (astrid.balance(), posted_to("provider:stripe"), states(payment)) == (50_00, -50_00, ["pending", "waiting", "posted"])
        assert Event.objects.filter(name="payments.top_up.posted").count() == 1

    def test_one_key_at_once_is_one_page(self, fresh_db: str, provider_apart: outside.Sandbox) -> None:
        astrid = customer_make("astrid")
        together(8, lambda _: start(astrid).payment.state)
        sweep(ahead=timedelta(minutes=1))
        assert Payment.objects.get().state == "waiting"
        assert len(provider_apart.api.v1.checkout.sessions.list({}).data) == 1
        assert coming_in(astrid) == 50_00


class TestLate:
    def test_money_that_comes_after_we_gave_up_is_still_credited(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = start(astrid).payment
        _failed(payment.id, "provider_unreachable", clock.now())
        assert coming_in(astrid) == 0
        pay(provider, payment)
        assert refresh(payment).state == "posted"
        assert (astrid.balance(), coming_in(astrid)) == (50_00, 50_00)

    def test_a_wallet_closed_meanwhile_sends_the_money_to_suspense_and_back(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = start(astrid).payment
        wallet_close(wallet=astrid.wallet, now=clock.now())
        pay(provider, payment)
        done = refresh(payment)
        assert (done.state, done.failure_code, done.suspended) == ("held", "account_closed", True)
        assert posted_to(f"suspense:{astrid.party_id}") == 50_00
        sweep(ahead=timedelta(days=1))
        assert reloaded(payment).state == "held"
        wallet_open(party_id=astrid.party_id, currency="EUR", now=clock.now())
        sweep(ahead=timedelta(days=1))
        assert (reloaded(payment).state, astrid.balance(), posted_to(f"suspense:{astrid.party_id}")) == ("posted", 50_00, 0)
        assert books_balance()


class TestWebhooks:
    def deliver(self, received: outside.Received, *, signature: str | None = None, body: bytes | None = None) -> int:
        answer = Client().post(
            "/webhooks/stripe/",
            data=body or received.body,
            content_type="application/json",
            headers={"Stripe-Signature": received.signature if signature is None else signature},
        )
        return answer.status_code

    @pytest.fixture
    def completed(self, astrid: Customer, provider: outside.Sandbox, news: outside.Receiver) -> tuple[Payment, outside.Received]:
        payment = start(astrid).payment
        pay(provider, payment)
        news.wait_for("checkout.session.completed")
        return payment, next(one for one in news.received if one.genuine and one.event.type == "checkout.session.completed")

    def test_is_answered_at_once_and_processed_later(self, astrid: Customer, completed: tuple[Payment, outside.Received]) -> None:
        payment, received = completed
        assert self.deliver(received) == 200
        assert (reloaded(payment).state, astrid.balance()) == ("waiting", 0)
        due.sweep()
        assert (reloaded(payment).state, astrid.balance()) == ("posted", 50_00)
        stored = ProviderEvent.objects.get()
        assert (stored.state, stored.payment_id, stored.owner_id) == ("done", payment.id, astrid.party_id)

    def test_is_stored_encrypted(self, completed: tuple[Payment, outside.Received]) -> None:
        payment, received = completed
        self.deliver(received)
        with connection.cursor() as cursor:
            cursor.execute("SELECT body FROM payments_providerevent")
            assert str(payment.id).encode() not in bytes(cursor.fetchone()[0])
        assert ProviderEvent.objects.get().body.encode() == received.body

    def test_twice_is_once(self, astrid: Customer, completed: tuple[Payment, outside.Received]) -> None:
        payment, received = completed
        assert [self.deliver(received), self.deliver(received)] == [200, 200]
        due.sweep()
        assert self.deliver(received) == 200
        due.sweep()
        assert (ProviderEvent.objects.count(), astrid.balance()) == (1, 50_00)
        assert states(payment) == ["pending", "waiting", "posted"]

    def test_forged_changes_nothing(self, astrid: Customer, completed: tuple[Payment, outside.Received], news: outside.Receiver) -> None:
        payment, received = completed
        forged = received.body.replace(b"5000", b"9000")
        assert self.deliver(received, body=forged) == 400
        assert self.deliver(received, signature="t=1,v1=00") == 400
        assert self.deliver(received, signature="") == 400
        due.sweep()
        assert not ProviderEvent.objects.exists()
        assert reloaded(payment).state == "waiting"

    def test_a_stranger_who_says_it_is_paid_changes_nothing(
        self, astrid: Customer, provider: outside.Sandbox, news: outside.Receiver
    ) -> None:
        payment = start(astrid).payment
        provider.control("forge", session=ProviderLink.objects.get().object_id)
        outside.eventually(lambda: news.received)
        assert self.deliver(news.received[0]) == 400
        assert reloaded(payment).state == "waiting"

    def test_an_old_event_about_an_open_page_changes_nothing_after_it_was_paid(
        self, astrid: Customer, completed: tuple[Payment, outside.Received]
    ) -> None:
        payment, received = completed
        refresh(payment)
        assert self.deliver(received) == 200
        due.sweep()
        assert states(payment) == ["pending", "waiting", "posted"]
        assert astrid.balance() == 50_00

    def test_one_that_comes_before_our_own_answer_finds_the_payment(
        self, astrid: Customer, completed: tuple[Payment, outside.Received]
    ) -> None:
        payment, received = completed
        ProviderLink.objects.filter(payment=payment).update(object_id="")
        Payment.objects.filter(id=payment.id).update(state="unknown")
        self.deliver(received)
        due.sweep()
        assert (reloaded(payment).state, astrid.balance()) == ("posted", 50_00)

    def test_about_something_else_is_kept_and_ignored(self, astrid: Customer, provider: outside.Sandbox, news: outside.Receiver) -> None:
        provider.type_card(provider.session(client_reference_id="another-shop").id)
        news.wait_for("checkout.session.completed")
        for received in [one for one in news.received if one.genuine]:
            assert self.deliver(received) == 200
        due.sweep()
        assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"ignored"}

    def test_while_the_provider_is_away_it_waits(
        self, astrid: Customer, provider: outside.Sandbox, completed: tuple[Payment, outside.Received]
    ) -> None:
        payment, received = completed
        self.deliver(received)
        provider.faults(retrieve="error_500", count=2)
        due.sweep(kinds=["payments.webhook_process"])
        assert ProviderEvent.objects.get().state == "received"
        provider.faults(retrieve="normal")
        webhook_process(event_id=ProviderEvent.objects.get().id, now=clock.now())
        assert (ProviderEvent.objects.get().state, reloaded(payment).state) == ("done", "posted")

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_only_posts_are_taken(self, db: None, method: str) -> None:
        assert getattr(Client(), method)("/webhooks/stripe/").status_code == 405

    def test_an_unknown_provider_is_a_fault(self) -> None:
        with pytest.raises(KeyError):
            webhook_receive(gateway="nobody", body=b"", headers={}, now=clock.now())


class TestRefund:
    def refund(self, boss: Person, payment: Payment, amount: Money | None = None, *, key: str = "r") -> Payment:
        movement = top_up_refund(by=boss, payment_id=payment.id, amount=amount, reason="asked", idempotency_key=key, now=clock.now())
        return movement.payment

    def test_goes_back_to_the_card_and_gives_the_limit_back(self, astrid: Customer, provider: outside.Sandbox, boss: Person) -> None:
        payment = paid(provider, astrid)
        refund = self.refund(boss, payment)
        assert (refund.kind, refund.state, refund.original_id) == (Kind.REFUND, "posted", payment.id)
        assert (astrid.balance(), posted_to("provider:stripe"), coming_in(astrid)) == (0, 0, 0)
        assert reloaded(payment).state == "refunded"
        assert books_balance()

    def test_in_parts_up_to_the_whole(self, astrid: Customer, provider: outside.Sandbox, boss: Person) -> None:
        payment = paid(provider, astrid)
        self.refund(boss, payment, eur(20_00), key="a")
        assert (reloaded(payment).state, astrid.balance(), coming_in(astrid)) == ("posted", 30_00, 30_00)
        with pytest.raises(NotRefundable):
            self.refund(boss, payment, eur(30_01), key="b")
        self.refund(boss, payment, eur(30_00), key="c")
        assert (reloaded(payment).state, astrid.balance()) == ("refunded", 0)

    def test_the_same_key_is_one_refund(self, astrid: Customer, provider: outside.Sandbox, boss: Person) -> None:
        payment = paid(provider, astrid)
        assert self.refund(boss, payment).id == self.refund(boss, payment).id
        assert len(provider.api.v1.refunds.list({}).data) == 1

    def test_not_what_is_spent(self, astrid: Customer, provider: outside.Sandbox, boss: Person) -> None:
        payment = paid(provider, astrid)
        customer_make("bosse")
        astrid.send("@bosse", eur(10_00), now=clock.now())
        with pytest.raises(InsufficientFunds):
            self.refund(boss, payment)
        assert not Payment.objects.filter(kind="refund").exists()
        assert not provider.api.v1.refunds.list({}).data

    def test_unknown_it_is_found_by_the_sweep_and_the_money_stays_held(
        self, astrid: Customer, provider: outside.Sandbox, boss: Person
    ) -> None:
        payment = paid(provider, astrid)
        provider.faults(refund="timeout_after_commit", seconds=4, count=2)
        refund = self.refund(boss, payment)
        assert refund.state == "unknown"
        customer_make("bosse")
        with pytest.raises(InsufficientFunds):
            astrid.send("@bosse", eur(1_00), now=clock.now())
        provider.faults(refund="normal")
        sweep(ahead=timedelta(seconds=20))
        assert (reloaded(refund).state, astrid.balance()) == ("posted", 0)
        assert len(provider.api.v1.refunds.list({}).data) == 1

    def test_not_by_customers_and_not_before_it_is_paid(self, astrid: Customer, provider: outside.Sandbox, boss: Person) -> None:
        payment = start(astrid).payment
        with pytest.raises(Forbidden):
            self.refund(astrid.person, payment)
        with pytest.raises(NotRefundable):
            self.refund(boss, payment)


class TestSlowMoney:
    """Cards whose bank decides later; the page is complete long before the money is sure."""

    @pytest.mark.parametrize(("card", "state", "balance"), [("4000000000000341", "posted", 50_00), ("4000000000000358", "failed", 0)])
    def test_waits_until_it_is_decided(self, astrid: Customer, provider: outside.Sandbox, card: str, state: str, balance: int) -> None:
        payment = start(astrid).payment
        assert pay(provider, payment, card=card) == "processing"
        assert refresh(payment).state == "waiting"
        provider.control("settle")
        done = refresh(payment)
        assert (done.state, astrid.balance(), coming_in(astrid)) == (state, balance, balance)

    def test_news_in_the_wrong_order_ends_the_same(self, astrid: Customer, provider: outside.Sandbox, news: outside.Receiver) -> None:
        payment = start(astrid).payment
        pay(provider, payment, card="4000000000000341")
        news.wait_for("checkout.session.completed")
        provider.control("settle")
        news.wait_for("checkout.session.async_payment_succeeded")
        for received in reversed([one for one in news.received if one.genuine]):
            webhook_receive(gateway="stripe", body=received.body, headers={"Stripe-Signature": received.signature}, now=clock.now())
            due.sweep(kinds=["payments.webhook_process"])
        assert (reloaded(payment).state, astrid.balance()) == ("posted", 50_00)
        assert states(payment) == ["pending", "waiting", "posted"]


class TestSlowRefunds:
    def begin(self, astrid: Customer, provider: outside.Sandbox, boss: Person, card: str) -> tuple[Payment, Payment]:
        payment = start(astrid).payment
        pay(provider, payment, card=card)
        refresh(payment)
        refund = top_up_refund(by=boss, payment_id=payment.id, reason="asked", idempotency_key="r", now=clock.now()).payment
        return payment, refund

    def test_pending_at_the_provider_it_waits_with_the_money_held(self, astrid: Customer, provider: outside.Sandbox, boss: Person) -> None:
        payment, refund = self.begin(astrid, provider, boss, "4000000000007726")
        assert (refund.state, astrid.balance()) == ("waiting", 50_00)
        provider.control("settle")
        sweep(ahead=timedelta(seconds=20))
        assert (reloaded(refund).state, reloaded(payment).state, astrid.balance()) == ("posted", "refunded", 0)

    def test_returned_by_the_cards_bank_the_money_comes_back(
        self, astrid: Customer, provider: outside.Sandbox, boss: Person, news: outside.Receiver
    ) -> None:
        _, refund = self.begin(astrid, provider, boss, "4000000000005126")
        assert (refund.state, astrid.balance()) == ("posted", 0)
        provider.control("settle")
        news.wait_for("refund.failed")
        for received in [one for one in news.received if one.genuine]:
            webhook_receive(gateway="stripe", body=received.body, headers={"Stripe-Signature": received.signature}, now=clock.now())
        due.sweep(kinds=["payments.webhook_process"])
        assert (reloaded(refund).state, astrid.balance(), posted_to("provider:stripe")) == ("failed", 50_00, -50_00)
        assert states(refund) == ["pending", "posted", "failed"]
        assert books_balance()

    def test_money_that_was_suspended_goes_back_whole(self, astrid: Customer, provider: outside.Sandbox, boss: Person) -> None:
        payment = start(astrid).payment
        wallet_close(wallet=astrid.wallet, now=clock.now())
        pay(provider, payment)
        assert refresh(payment).suspended
        with pytest.raises(NotRefundable):
            top_up_refund(by=boss, payment_id=payment.id, amount=eur(1_00), reason="x", idempotency_key="a", now=clock.now())
        top_up_refund(by=boss, payment_id=payment.id, reason="x", idempotency_key="b", now=clock.now())
        assert (reloaded(payment).state, reloaded(payment).suspended) == ("refunded", False)
        assert posted_to(f"suspense:{astrid.party_id}") == posted_to("provider:stripe") == 0


class TestSuspended:
    def test_a_better_level_makes_room_at_once(self, astrid: Customer, provider: outside.Sandbox) -> None:
        payment = start(astrid).payment
        ledger.account_limit(astrid.wallet.account, ceiling=10_00)
        pay(provider, payment)
        done = refresh(payment)
        assert (done.state, done.failure_code, astrid.balance()) == ("held", "ceiling_exceeded", 0)
        ledger.account_limit(astrid.wallet.account, ceiling=1_000_00)
        event = Event(name="compliance.level.changed", party_id=astrid.party_id, data={"level": 2}, created_at=clock.now())
        suspended_try_again(event)
        due.sweep(kinds=["payments.top_up_release"])
        assert (reloaded(payment).state, astrid.balance()) == ("posted", 50_00)
        assert Event.objects.filter(name="payments.top_up.posted").count() == 1


class TestPrivacy:
    def test_export_has_what_was_written_and_erasure_makes_it_unreadable(
        self, astrid: Customer, provider: outside.Sandbox, news: outside.Receiver
    ) -> None:
        payment = paid(provider, astrid)
        news.wait_for("checkout.session.completed")
        for received in [one for one in news.received if one.genuine]:
            webhook_receive(gateway="stripe", body=received.body, headers={"Stripe-Signature": received.signature}, now=clock.now())
        customer_make("bosse")
        astrid.send("@bosse", eur(5_00), note="a secret", now=clock.now())
        share = privacy.export(astrid.party_id)["payments"]
        assert {row["note"] for row in share["payments"]} == {"", "a secret"}
        assert any(str(payment.id) in row["body"] for row in share["provider_messages"])
        privacy.erase(astrid.party_id, now=clock.now())
        assert all(row.note == "" for row in Payment.objects.all())
        assert all(row.body == "" for row in ProviderEvent.objects.filter(owner_id=astrid.party_id))
