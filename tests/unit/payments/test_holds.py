"""Payments wait while a side is not screened, and for two members of staff where a name is on a list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from accounts.approvals import approval_confirm
from accounts.models import Person
from compliance.cases.services import case_propose
from compliance.models import Case, CaseItem, LimitRule, Usage, Verdict
from core import clock, due, events
from core.models import AuditEntry, Event
from payments import selectors
from payments.models import Payment, ProviderLink
from payments.services import Outcome, payout_approve, payout_send, top_up_refresh, top_up_refund, top_up_start, transfer_approve
from tests.unit.compliance.screening import load, row, settle
from tests.unit.payments.conftest import PASSWORD, Customer, customer_make, eur, reloaded
from tests.unit.sandbox import outside
from wallets.selectors import balance_of
from wallets.services import wallet_close

pytestmark = [pytest.mark.django_db, pytest.mark.screened]
EVE, MALLORY = row(1, "EXAMPLE, Eve"), row(2, "MADEUP, Mallory")


@pytest.fixture
def now(db: None) -> datetime:
    """Sagas of screening run on the hub's own clock."""
    return clock.now()


@pytest.fixture
def lists(tmp_path: Path, now: datetime) -> None:
    load(tmp_path, EVE, MALLORY, now=now)


def renamed(customer: Customer, name: str) -> Customer:
    customer.person.name = customer.person.party.name = name
    customer.person.save(update_fields=["name"])
    customer.person.party.save(update_fields=["name"])
    return customer


@pytest.fixture
def mallory(customer: Callable[..., Customer]) -> Customer:
    return renamed(customer("mallory", balance=100_00), "Mallory Madeup")


@pytest.fixture
def officers(db: None) -> list[Person]:
    made = []
    for name in ("cora", "carl"):
        officer = Person.objects.create_user(f"{name}@example.com", PASSWORD, is_staff=True)
        officer.groups.add(Group.objects.get(name="compliance"))
        made.append(officer)
    return made


def decide(officers: list[Person], decision: str, *, case: Case | None = None) -> None:
    case = case or Case.objects.get(state="open")
    for officer in officers:
        case_propose(by=officer, case_id=case.id, decision=decision, now=clock.now())
    settle()


def used(customer: Customer) -> int:
    row = Usage.objects.filter(party_id=customer.party_id, window="month", direction="out").first()
    return row.amount_minor if row else 0


class TestAMissingVerdict:
    def test_holds_the_payment_and_its_money(self, astrid: Customer, bo: Customer, lists: None, now: datetime) -> None:
        movement = astrid.send("@bosse", eur(20_00), now=now)
        assert movement.outcome is Outcome.HELD
        balance = balance_of(astrid.wallet)
        assert (balance.posted, balance.available, bo.balance(), used(astrid)) == (eur(100_00), eur(80_00), 0, 20_00)
        assert {case.party_id: case.reason for case in Case.objects.all()} == {astrid.party_id: "missing", bo.party_id: "missing"}
        assert CaseItem.objects.filter(object_id=movement.payment.id).count() == 2
        assert Event.objects.filter(name="payments.transfer.held").count() == 1

    def test_lets_it_go_by_itself_when_the_verdict_is_clear(self, astrid: Customer, bo: Customer, lists: None, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        settle()
        assert reloaded(payment).state == "posted"
        assert (astrid.balance(), bo.balance(), used(astrid)) == (80_00, 20_00, 20_00)
        assert set(Case.objects.values_list("state", flat=True)) == {"resolved"}
        assert [step.state for step in payment.steps.order_by("id")] == ["held", "posted"]
        assert Event.objects.filter(name="payments.transfer.posted").count() == 1
        assert astrid.send("@bosse", eur(1_00), now=now).outcome is Outcome.POSTED

    def test_holds_while_the_screening_process_is_down(self, astrid: Customer, bo: Customer, lists: None, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        for _ in range(5):
            events.relay()
            due.sweep()
        assert reloaded(payment).state == "held"

    def test_holds_while_no_list_is_loaded(self, astrid: Customer, bo: Customer, now: datetime, tmp_path: Path) -> None:
        payment = astrid.send("@bosse", eur(20_00), now=now).payment
        settle()
        assert reloaded(payment).state == "held"
        load(tmp_path, EVE, now=now)
        settle()
        assert reloaded(payment).state == "posted"

    def test_an_old_one_holds_too(self, astrid: Customer, bo: Customer, lists: None, tmp_path: Path, now: datetime) -> None:
        astrid.send("@bosse", eur(1_00), now=now)
        settle()
        load(tmp_path, EVE, now=now - timedelta(hours=1))
        assert astrid.send("@bosse", eur(1_00), now=now).outcome is Outcome.HELD
        assert set(Case.objects.filter(state="open").values_list("reason", flat=True)) == {"stale"}
        settle()
        assert not Payment.objects.filter(state="held").exists()

    def test_after_approval_holds_too(self, astrid: Customer, bo: Customer, lists: None, now: datetime) -> None:
        movement = astrid.send("@bosse", eur(60_00), now=now, present=False)
        assert movement.outcome is Outcome.REQUIRES_APPROVAL
        assert movement.approval_id is not None
        approval_confirm(astrid.person, movement.approval_id, password=PASSWORD, now=now)
        held = transfer_approve(by=astrid.person, payment_id=movement.payment.id, now=now)
        assert held.outcome is Outcome.HELD
        settle()
        assert (reloaded(held.payment).state, bo.balance()) == ("posted", 60_00)

    def test_repeating_the_key_answers_the_held_one(self, astrid: Customer, bo: Customer, lists: None, now: datetime) -> None:
        first = astrid.send("@bosse", eur(20_00), key="once", now=now)
        again = astrid.send("@bosse", eur(20_00), key="once", now=now)
        assert (again.payment.id, again.outcome, again.replayed) == (first.payment.id, Outcome.HELD, True)
        assert Payment.objects.count() == 1


class TestAHit:
    @pytest.mark.parametrize("way", ["out", "in"])
    def test_waits_for_two(self, mallory: Customer, astrid: Customer, lists: None, officers: list[Person], now: datetime, way: str) -> None:
        payment = (mallory.send("@astrid", eur(20_00), now=now) if way == "out" else astrid.send("@mallory", eur(20_00), now=now)).payment
        settle()
        assert reloaded(payment).state == "held"
        case = Case.objects.get(party_id=mallory.party_id, state="open")
        assert case.reason == "hit"

        decide(officers[:1], "release", case=case)
        decide(officers[:1], "release", case=case)
        assert reloaded(payment).state == "held"

        decide(officers[1:], "release", case=case)
        assert reloaded(payment).state == "posted"
        assert mallory.balance() == (80_00 if way == "out" else 120_00)
        assert mallory.send("@astrid", eur(1_00), now=now).outcome is Outcome.POSTED

    def test_blocked_goes_back(self, mallory: Customer, astrid: Customer, lists: None, officers: list[Person], now: datetime) -> None:
        payment = mallory.send("@astrid", eur(20_00), now=now).payment
        settle()
        decide(officers, "block")
        payment = reloaded(payment)
        assert (payment.state, payment.failure_code) == ("cancelled", "not_carried_out")
        assert (balance_of(mallory.wallet).available, astrid.balance(), used(mallory)) == (eur(100_00), 100_00, 0)

        # The next one waits for a case of its own.
        assert mallory.send("@astrid", eur(5_00), now=now).outcome is Outcome.HELD
        assert Case.objects.get(state="open").reason == "hit"

    def test_on_both_sides_waits_for_both(
        self, mallory: Customer, customer: Callable[..., Customer], lists: None, officers: list[Person], now: datetime
    ) -> None:
        eve = renamed(customer("eve"), "Eve Example")
        payment = mallory.send("@eve", eur(20_00), now=now).payment
        settle()
        decide(officers, "release", case=Case.objects.get(party_id=mallory.party_id))
        assert reloaded(payment).state == "held"
        decide(officers, "release", case=Case.objects.get(party_id=eve.party_id))
        assert reloaded(payment).state == "posted"

    def test_limits_are_checked_again(
        self, mallory: Customer, astrid: Customer, lists: None, officers: list[Person], now: datetime
    ) -> None:
        payment = mallory.send("@astrid", eur(20_00), now=now).payment
        settle()
        LimitRule.objects.filter(level=3, window="payment", direction="out").update(amount_minor=10_00)
        decide(officers, "release")
        assert reloaded(payment).state == "cancelled"
        assert (balance_of(mallory.wallet).available, used(mallory)) == (eur(100_00), 0)

    def test_a_payee_who_closed_the_wallet_gets_nothing(
        self, mallory: Customer, bo: Customer, lists: None, officers: list[Person], now: datetime
    ) -> None:
        payment = mallory.send("@bosse", eur(20_00), now=now).payment
        settle()
        wallet_close(wallet=bo.wallet, now=now)
        decide(officers, "release")
        assert reloaded(payment).state == "cancelled"
        assert balance_of(mallory.wallet).available == eur(100_00)

    def test_events_that_come_twice_change_nothing(
        self, mallory: Customer, astrid: Customer, lists: None, officers: list[Person], now: datetime
    ) -> None:
        from payments.services import held_cancel, held_release

        payment = mallory.send("@astrid", eur(20_00), now=now).payment
        settle()
        decide(officers, "release")
        for again in (held_release, held_cancel, held_release):
            again(payment_id=payment.id, now=now)
        assert (reloaded(payment).state, mallory.balance(), astrid.balance()) == ("posted", 80_00, 120_00)


class TestWhatPeopleAreTold:
    def test_is_the_same_whatever_the_reason_is(
        self, mallory: Customer, astrid: Customer, customer: Callable[..., Customer], lists: None, now: datetime
    ) -> None:
        erik = customer("erik", balance=100_00)
        hit = mallory.send("@astrid", eur(20_00), now=now).payment
        settle()
        Verdict.objects.filter(party_id=erik.party_id).delete()
        missing = erik.send("@astrid", eur(20_00), now=now).payment
        told = []
        for payer, payment in ((mallory, hit), (erik, missing)):
            view = selectors.payment_get(payer.party_id, payment.id)
            steps = [(step.state, str(step.label), str(step.reason)) for step in view.steps]
            told.append((view.payment.state, str(view.state_label), view.failure_code, str(view.failure), steps))
        assert told[0] == told[1]
        words = str(told).lower()
        assert not [word for word in ("list", "sanction", "screen", "suspic", "case", "hit") if word in words]

    def test_the_payee_learns_nothing(self, mallory: Customer, astrid: Customer, lists: None, now: datetime) -> None:
        mallory.send("@astrid", eur(20_00), now=now)
        assert selectors.payments_for(astrid.party_id).rows == []

    def test_events_and_the_audit_log_say_nothing(self, mallory: Customer, astrid: Customer, lists: None, now: datetime) -> None:
        from core import audit

        mallory.send("@astrid", eur(20_00), now=now)
        settle()
        assert AuditEntry.objects.filter(action="compliance.case.opened").exists()
        told = {entry.action for entry in audit.entries_for(mallory.party_id)}
        assert not [action for action in told if action.startswith("compliance.") and "level" not in action]
        held = Event.objects.get(name="payments.transfer.held")
        assert set(held.data) == {"payment_id", "payee_party", "amount", "currency"}


class TestMoneyFromACard:
    def paid(self, mallory: Customer, provider: outside.Sandbox) -> Payment:
        payment = top_up_start(
            by=mallory.person, wallet_id=mallory.wallet.id, amount=eur(50_00), idempotency_key="card", now=clock.now()
        ).payment
        provider.control(f"sessions/{ProviderLink.objects.get(payment=payment).object_id}/pay")
        return top_up_refresh(payment_id=payment.id, now=clock.now()).payment

    def test_is_kept_apart_until_the_verdict_is_clear(self, provider: outside.Sandbox, lists: None) -> None:
        anna = customer_make("anna")
        payment = self.paid(anna, provider)
        assert (payment.state, payment.failure_code, payment.suspended, anna.balance()) == ("held", "under_review", True, 0)
        settle()
        assert (reloaded(payment).state, anna.balance()) == ("posted", 50_00)

    def test_of_a_hit_waits_for_two(self, provider: outside.Sandbox, lists: None, officers: list[Person]) -> None:
        mallory = renamed(customer_make("mallory"), "Mallory Madeup")
        payment = self.paid(mallory, provider)
        settle()
        assert (reloaded(payment).state, mallory.balance()) == ("held", 0)
        decide(officers, "release")
        assert (reloaded(payment).state, mallory.balance()) == ("posted", 50_00)

    def test_that_is_blocked_stays_for_staff_to_send_back(self, provider: outside.Sandbox, lists: None, officers: list[Person]) -> None:
        mallory = renamed(customer_make("mallory"), "Mallory Madeup")
        payment = self.paid(mallory, provider)
        settle()
        decide(officers, "block")
        assert (reloaded(payment).state, reloaded(payment).suspended, mallory.balance()) == ("held", True, 0)
        top_up_refund(by=officers[0], payment_id=payment.id, reason="blocked", idempotency_key="back", now=clock.now())
        assert reloaded(payment).state == "refunded"


class TestMoneyToABank:
    def sent(self, who: Customer) -> Payment:
        asked = payout_send(
            by=who.person,
            party_id=who.party_id,
            source_wallet_id=who.wallet.id,
            iban="DE89 3704 0044 0532 0130 00",
            name="Land Lord",
            amount=eur(60_00),
            idempotency_key="rent",
            now=clock.now(),
        )
        assert asked.approval_id is not None
        approval_confirm(who.person, asked.approval_id, password=PASSWORD, now=clock.now())
        return payout_approve(by=who.person, payment_id=asked.payment.id, now=clock.now()).payment

    def test_waits_before_the_bank_is_asked(self, bank: outside.Sandbox, lists: None) -> None:
        anna = customer_make("anna", balance=100_00)
        payment = self.sent(anna)
        assert (payment.state, ProviderLink.objects.filter(payment=payment).exists()) == ("held", False)
        assert balance_of(anna.wallet).available == eur(40_00)
        settle()
        assert reloaded(payment).state in ("waiting", "posted")
        assert balance_of(anna.wallet).available == eur(40_00)

    def test_that_is_blocked_comes_back(self, bank: outside.Sandbox, lists: None, officers: list[Person]) -> None:
        mallory = renamed(customer_make("mallory", balance=100_00), "Mallory Madeup")
        payment = self.sent(mallory)
        settle()
        decide(officers, "block")
        assert (reloaded(payment).state, balance_of(mallory.wallet).available, used(mallory)) == ("cancelled", eur(100_00), 0)
