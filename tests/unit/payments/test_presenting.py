"""What a payment is called and what its timeline says, by kind, side and state."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.ids import uuid7
from core.money import Money
from payments.models import BankAccount, Kind, Payment, PaymentStep, State
from payments.presenting import PaymentView, view_with_steps, views_of
from tests.unit.payments.conftest import Customer, eur


def seen(
    kind: Kind, state: State = State.POSTED, *, incoming: bool = False, name: str = "Bo E.", note: str = "", code: str = ""
) -> PaymentView:
    account = BankAccount(iban="DE89370400440532013000", name="Land Lord") if kind is Kind.PAYOUT else None
    payment = Payment(kind=kind, state=state, amount_minor=5_00, currency="EUR", bank_account=account, note=note, failure_code=code)
    return PaymentView(payment=payment, incoming=incoming, name=name)


class TestWords:
    @pytest.mark.parametrize(
        ("view", "title", "heading", "sub", "icon"),
        [
            (seen(Kind.TRANSFER), "Bo E.", "Money sent", "Sent", "out"),
            (seen(Kind.TRANSFER, incoming=True, note="Lunch"), "Bo E.", "Money received", "Lunch", "in"),
            (seen(Kind.TRANSFER, State.HELD, name=""), "Closed account", "Payment", "Sent", "out"),
            (seen(Kind.TOP_UP, incoming=True), "Top-up by card", "Top-up", "", "top-up"),
            (seen(Kind.REFUND), "Refund to card", "Refund", "", "undo"),
            (seen(Kind.REVERSAL, incoming=True), "Bo E.", "Payment undone", "Payment undone", "undo"),
            (seen(Kind.PAYOUT, State.WAITING), "Land Lord", "Bank transfer", "DE…3000", "bank"),
            (seen(Kind.PAYOUT, note="Rent"), "Land Lord", "Money sent", "DE…3000 · Rent", "bank"),
        ],
    )  # fmt: skip
    def test_of_lists_and_pages(self, view: PaymentView, title: str, heading: str, sub: str, icon: str) -> None:
        assert (view.title, view.heading, view.sub, view.icon) == (title, heading, sub, icon)

    def test_the_amount_is_signed_from_the_readers_side(self) -> None:
        assert (seen(Kind.TRANSFER).amount, seen(Kind.TRANSFER, incoming=True).amount) == (Money(-5_00, "EUR"), eur(5_00))

    @pytest.mark.parametrize("state", [State.UNKNOWN, State.PENDING, State.POSTED])
    def test_a_reason_is_told_only_where_it_ended(self, state: State) -> None:
        """While the provider is still asked, "no money was moved" would be a guess."""
        assert seen(Kind.TOP_UP, state, code="provider_unreachable").failure == ""
        assert str(seen(Kind.TOP_UP, State.FAILED, code="provider_unreachable").failure).endswith("No money was moved.")


@pytest.mark.django_db
class TestTimeline:
    def test_tells_why_only_where_it_stands(self, astrid: Customer, bo: Customer) -> None:
        now = clock.now()
        payment = astrid.send("@bosse", eur(1_00), now=now).payment
        PaymentStep.objects.create(payment=payment, at=now, state="held", code="under_review")
        held = view_with_steps(astrid.party_id, payment).steps
        PaymentStep.objects.create(payment=payment, at=now + timedelta(hours=1), state="posted")
        gone_on = view_with_steps(astrid.party_id, payment).steps
        assert ([bool(step.reason) for step in held], [step.dot for step in held]) == ([False, True], ["done", "wait"])
        assert ([bool(step.reason) for step in gone_on], [step.dot for step in gone_on]) == ([False] * 3, ["done"] * 3)

    def test_lists_have_none(self, astrid: Customer, bo: Customer) -> None:
        payment = astrid.send("@bosse", eur(1_00), now=clock.now(), key=str(uuid7())).payment
        assert views_of(bo.party_id, [payment])[0].steps == ()
