"""Top-ups that the provider reports otherwise: held, compared, and decided by two members of staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Person
from core import clock, privacy
from core.errors import Forbidden, NotFound
from core.models import AuditEntry, Event
from core.money import Money
from payments.errors import DecisionImpossible, MismatchDecided, MismatchOwn, ProviderUnavailable
from payments.models import Mismatch, Payment
from payments.selectors import payment_get
from payments.services import mismatch_look, mismatch_propose, top_up_refresh
from payments.services.top_ups import is_our_page
from tests.unit.core.test_admin import verified
from tests.unit.payments.conftest import PASSWORD, Customer, customer_make, reloaded
from tests.unit.payments.test_admin import clerk_of
from tests.unit.payments.test_top_ups import books_balance, coming_in, pay, posted_to, refresh, start, states, sweep
from tests.unit.sandbox import outside
from wallets import ledger
from wallets import selectors as wallets
from wallets.models import Wallet
from wallets.services import wallet_close


@pytest.fixture
def astrid(provider: outside.Sandbox) -> Customer:
    return customer_make("astrid")


def clerk(name: str) -> Person:
    made = Person.objects.create_user(f"{name}@example.com", PASSWORD, is_staff=True)
    made.groups.add(Group.objects.get(name="operations"))
    return made


@pytest.fixture
def two(db: None) -> list[Person]:
    return [clerk("first"), clerk("second")]


@pytest.fixture
def held(astrid: Customer, provider: outside.Sandbox) -> Payment:
    """50 EUR were paid at the provider for what we take to be a top-up of 40 EUR."""
    payment = start(astrid).payment
    Payment.objects.filter(id=payment.id).update(amount_minor=40_00)
    pay(provider, payment)
    done = refresh(payment)
    assert (done.state, done.failure_code, posted_to("provider:stripe")) == ("held", "amount_mismatch", 0)
    return done


def decide(two: list[Person], payment: Payment, decision: str) -> Mismatch:
    for by in two:
        found = mismatch_propose(by=by, payment_id=payment.id, decision=decision, now=clock.now())
    return found


class TestFigures:
    def test_are_kept_side_by_side(self, held: Payment) -> None:
        found = Mismatch.objects.get()
        assert (found.asked, found.reported, found.is_ours, found.decision) == (Money(40_00, "EUR"), Money(50_00, "EUR"), True, "")

    def test_of_old_ones_are_asked_for(self, held: Payment, two: list[Person]) -> None:
        Mismatch.objects.all().delete()
        found = mismatch_look(by=two[0], payment_id=held.id, now=clock.now())
        assert (found.asked, found.reported) == (Money(40_00, "EUR"), Money(50_00, "EUR"))

    def test_of_the_moment_count(self, held: Payment, two: list[Person], monkeypatch: pytest.MonkeyPatch) -> None:
        """A proposal that was made on other figures is void."""
        mismatch_propose(by=two[0], payment_id=held.id, decision="credit", now=clock.now())
        Mismatch.objects.update(reported_minor=49_00)
        found = mismatch_propose(by=two[1], payment_id=held.id, decision="credit", now=clock.now())
        assert (found.decision, found.proposed_by_id, found.reported.amount) == ("", two[1].id, 50_00)
        assert mismatch_propose(by=two[0], payment_id=held.id, decision="credit", now=clock.now()).decision == "credit"


class TestCredit:
    def test_what_was_received_arrives(self, astrid: Customer, held: Payment, two: list[Person]) -> None:
        assert mismatch_propose(by=two[0], payment_id=held.id, decision="credit", now=clock.now()).decision == ""
        assert (reloaded(held).state, astrid.balance()) == ("held", 0)
        assert mismatch_propose(by=two[1], payment_id=held.id, decision="credit", now=clock.now()).decision == "credit"
        done = reloaded(held)
        assert (done.state, done.amount_minor, astrid.balance(), coming_in(astrid)) == ("posted", 50_00, 50_00, 50_00)
        assert posted_to(f"suspense:{astrid.party_id}") == 0
        assert books_balance()
        assert states(done) == ["pending", "waiting", "held", "posted"]
        assert Event.objects.filter(name="payments.top_up.posted").count() == 1
        assert payment_get(astrid.party_id, held.id).amount == Money(50_00, "EUR")

    def test_in_another_currency_a_wallet_is_opened(
        self, astrid: Customer, held: Payment, two: list[Person], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report(monkeypatch, amount=Money(60_00, "SEK"))
        decide(two, held, "credit")
        opened = Wallet.objects.get(party_id=astrid.party_id, currency="SEK")
        assert (reloaded(held).state, reloaded(held).wallet_to_id) == ("posted", opened.id)
        assert wallets.balance_of(opened).posted == Money(60_00, "SEK")

    def test_what_a_limit_refuses_waits_and_arrives_later(self, astrid: Customer, held: Payment, two: list[Person]) -> None:
        ledger.account_limit(astrid.wallet.account, ceiling=10_00)
        decide(two, held, "credit")
        waiting = reloaded(held)
        assert (waiting.state, waiting.failure_code, waiting.suspended) == ("held", "ceiling_exceeded", True)
        assert posted_to(f"suspense:{astrid.party_id}") == 50_00
        ledger.account_limit(astrid.wallet.account, ceiling=1_000_00)
        sweep(ahead=timedelta(hours=7))
        assert (reloaded(held).state, astrid.balance()) == ("posted", 50_00)

    def test_a_closed_wallet_is_opened_anew(self, astrid: Customer, held: Payment, two: list[Person]) -> None:
        wallet_close(wallet=astrid.wallet, now=clock.now())
        decide(two, held, "credit")
        assert (reloaded(held).state, astrid.balance()) == ("posted", 50_00)

    def test_it_can_be_refunded_afterwards_whole(
        self, astrid: Customer, held: Payment, two: list[Person], provider: outside.Sandbox
    ) -> None:
        from payments.services import top_up_refund

        decide(two, held, "credit")
        refund = top_up_refund(by=two[0], payment_id=held.id, reason="asked", idempotency_key="r", now=clock.now()).payment
        assert (refund.amount_minor, refund.state, reloaded(held).state, astrid.balance()) == (50_00, "posted", "refunded", 0)


class TestSendBack:
    def test_the_card_gets_what_it_paid(self, astrid: Customer, held: Payment, two: list[Person], provider: outside.Sandbox) -> None:
        decide(two, held, "send_back")
        assert (reloaded(held).state, astrid.balance(), coming_in(astrid)) == ("refunded", 0, 0)
        assert [refund.amount for refund in provider.api.v1.refunds.list({}).data] == [50_00]
        assert (posted_to("provider:stripe"), posted_to(f"suspense:{astrid.party_id}"), books_balance()) == (0, 0, True)

    def test_an_answer_that_never_came_is_found_by_the_sweep(
        self, astrid: Customer, held: Payment, two: list[Person], provider: outside.Sandbox
    ) -> None:
        provider.faults(refund="timeout_after_commit", seconds=4, count=2)
        decide(two, held, "send_back")
        assert reloaded(held).state == "held"
        with pytest.raises(MismatchDecided):
            mismatch_propose(by=two[0], payment_id=held.id, decision="credit", now=clock.now())
        provider.faults(refund="normal")
        sweep(ahead=timedelta(seconds=20))
        assert reloaded(held).state == "refunded"
        assert len(provider.api.v1.refunds.list({}).data) == 1

    def test_what_the_provider_refuses_is_decided_again(
        self, astrid: Customer, held: Payment, two: list[Person], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from payments.gateways.base import GatewayRefused

        def never(*args: Any, **kwargs: Any) -> Any:
            raise GatewayRefused("charge_disputed")

        with monkeypatch.context() as patch:
            patch.setattr("payments.gateways.stripe.client.StripeGateway.refund_create", never)
            decide(two, held, "send_back")
        assert (reloaded(held).state, reloaded(held).suspended, Mismatch.objects.get().proposal) == ("held", True, "")
        # Money that staff have not decided on is never credited by the clock.
        sweep(ahead=timedelta(days=1))
        assert (reloaded(held).state, astrid.balance()) == ("held", 0)
        decide(two, held, "credit")
        assert (reloaded(held).state, astrid.balance(), books_balance()) == ("posted", 50_00, True)


class TestClose:
    def test_nothing_moves_and_nothing_comes_back(self, astrid: Customer, held: Payment, two: list[Person]) -> None:
        decide(two, held, "close")
        done = reloaded(held)
        assert (done.state, done.failure_code, astrid.balance(), coming_in(astrid)) == ("cancelled", "mismatch_closed", 0, 0)
        assert top_up_refresh(payment_id=held.id, now=clock.now()).payment.state == "cancelled"
        assert posted_to("provider:stripe") == 0

    def test_is_all_that_can_be_done_with_somebody_elses_page(
        self, astrid: Customer, held: Payment, two: list[Person], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report(monkeypatch, reference="somebody-else")
        for decision in ("credit", "send_back"):
            with pytest.raises(DecisionImpossible):
                mismatch_propose(by=two[0], payment_id=held.id, decision=decision, now=clock.now())
        decide(two, held, "close")
        assert reloaded(held).state == "cancelled"

    def test_needs_no_answer_of_the_provider(self, held: Payment, two: list[Person], settings: Any) -> None:
        from payments import gateways

        settings.STRIPE_API_BASE = "http://127.0.0.1:1"
        gateways.gateway.cache_clear()
        with pytest.raises(ProviderUnavailable):
            mismatch_propose(by=two[0], payment_id=held.id, decision="credit", now=clock.now())
        decide(two, held, "close")
        assert reloaded(held).state == "cancelled"


class TestFourEyes:
    def test_one_alone_decides_nothing(self, held: Payment, two: list[Person]) -> None:
        for _ in range(3):
            assert mismatch_propose(by=two[0], payment_id=held.id, decision="credit", now=clock.now()).decision == ""
        assert reloaded(held).state == "held"

    def test_another_decision_takes_the_place_of_the_proposal(self, held: Payment, two: list[Person]) -> None:
        mismatch_propose(by=two[0], payment_id=held.id, decision="credit", now=clock.now())
        found = mismatch_propose(by=two[1], payment_id=held.id, decision="close", now=clock.now())
        assert (found.proposal, found.proposed_by_id, found.decision) == ("close", two[1].id, "")

    def test_the_database_says_so_too(self, held: Payment, two: list[Person]) -> None:
        now = clock.now()
        with pytest.raises(IntegrityError), transaction.atomic():
            Mismatch.objects.update(
                proposal="credit", proposed_by=two[0], proposed_at=now, decision="credit", decided_by=two[0], decided_at=now
            )

    def test_nobody_without_the_right_and_nobody_about_themselves(
        self, astrid: Customer, held: Payment, two: list[Person], officer: Person
    ) -> None:
        for who in (astrid.person, officer):
            with pytest.raises(Forbidden):
                mismatch_propose(by=who, payment_id=held.id, decision="close", now=clock.now())
        astrid.person.is_staff = True
        astrid.person.save()
        astrid.person.groups.add(Group.objects.get(name="operations"))
        with pytest.raises(MismatchOwn):
            mismatch_propose(by=Person.objects.get(id=astrid.person.id), payment_id=held.id, decision="close", now=clock.now())

    def test_only_what_waits_can_be_decided(self, astrid: Customer, held: Payment, two: list[Person]) -> None:
        decide(two, held, "credit")
        with pytest.raises(MismatchDecided):
            mismatch_propose(by=two[0], payment_id=held.id, decision="close", now=clock.now())
        with pytest.raises(NotFound):
            mismatch_propose(by=two[0], payment_id=astrid.wallet.id, decision="close", now=clock.now())

    def test_every_word_is_in_the_audit_log(self, astrid: Customer, held: Payment, two: list[Person]) -> None:
        decide(two, held, "credit")
        rows = AuditEntry.objects.filter(action__startswith="payments.mismatch.").order_by("id")
        assert [(row.action, row.actor_id, row.data["reported"]) for row in rows] == [
            ("payments.mismatch.proposed", two[0].id, 50_00),
            ("payments.mismatch.decided", two[1].id, 50_00),
        ]


class TestPrivacy:
    def test_the_party_gets_both_figures(self, astrid: Customer, held: Payment) -> None:
        [row] = privacy.export(astrid.party_id)["payments"]["top_ups_reported_otherwise"]
        assert (row["asked"], row["reported"], row["decision"]) == (40_00, 50_00, "")


class TestAdmin:
    def test_both_figures_and_the_decision(self, astrid: Customer, held: Payment, two: list[Person]) -> None:
        listed = reverse("admin:payments_mismatch_changelist")
        row = Mismatch.objects.get()
        for who in two:
            client = verified(who)
            page = client.get(listed).text
            assert ("40.00 EUR" in page, "50.00 EUR" in page) == (True, True)
            assert client.get(reverse("admin:payments_mismatch_change", args=[row.id])).status_code == 200
            client.post(listed, {"action": "credit", "_selected_action": [str(row.id)]})
        assert (reloaded(held).state, astrid.balance()) == ("posted", 50_00)

    def test_support_only_looks(self, astrid: Customer, held: Payment) -> None:
        support = clerk_of("support")
        listed = reverse("admin:payments_mismatch_changelist")
        assert support.get(listed).status_code == 200
        support.post(listed, {"action": "close", "_selected_action": [str(Mismatch.objects.get().id)]})
        assert Mismatch.objects.get().proposal == ""

    def test_old_ones_are_compared_from_the_payments(self, held: Payment) -> None:
        Mismatch.objects.all().delete()
        client = clerk_of("operations")
        client.post(reverse("admin:payments_payment_changelist"), {"action": "compare_top_ups", "_selected_action": [str(held.id)]})
        assert Mismatch.objects.get().reported == Money(50_00, "EUR")


def report(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let the provider say something else of every page from now on."""
    from dataclasses import replace

    from payments.gateways.stripe.client import StripeGateway

    real = StripeGateway.checkout_get
    monkeypatch.setattr(StripeGateway, "checkout_get", lambda self, page: replace(real(self, page), **changes))


def test_a_page_is_ours_by_both_names(held: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    from payments.gateways.base import Checkout, CheckoutState

    ours = Checkout(id=held.provider.object_id, reference=str(held.id), state=CheckoutState.PAID, amount=held.amount)
    assert is_our_page(held, ours)
    assert not is_our_page(held, Checkout(id="cs_other", reference=str(held.id), state=CheckoutState.PAID, amount=held.amount))
