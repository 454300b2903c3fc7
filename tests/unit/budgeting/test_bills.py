"""Bills: counted before they are paid, in the feed once they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from budgeting import selectors, services
from budgeting.categorise import Why
from budgeting.models import FeedItem, Kind
from payments.bills.models import Bill
from payments.models import BankAccount, Payment, State
from tests.unit.budgeting.conftest import eur, items_of, told
from tests.unit.payments.bills.conftest import Time, astrid, bill, bo, time
from tests.unit.payments.conftest import Customer

__all__ = ["astrid", "bill", "bo", "time"]

pytestmark = pytest.mark.django_db


def safe(who: Customer, now: Time) -> selectors.SafeToSpend:
    return selectors.safe_to_spend(who.party_id, selectors.keeper_of(who.party_id), now=now.now)


def test_a_bill_is_taken_off_until_it_is_paid_and_then_it_is_in_the_feed(
    astrid: Customer, bo: Customer, bill: Callable[..., Bill], time: Time
) -> None:
    bill(astrid, name="Electricity", note="", amount=eur(20_00), first_on=date(2026, 3, 31))
    before = safe(astrid, time)
    assert (before.balance, before.bills, before.amount) == (eur(100_00), eur(20_00), eur(80_00))
    assert [(line.bill.name, line.bill.on) for line in before.lines] == [("Electricity", date(2026, 3, 31))]
    time.to("2026-03-31T23:30")
    told()
    after = safe(astrid, time)
    assert (after.balance, after.bills, after.amount) == (eur(80_00), eur(0), eur(80_00))
    (item,) = items_of(astrid)
    assert (item.category, item.why, item.on_date) == ("housing", Why.NOTE, date(2026, 3, 31))
    view = selectors.month_view(astrid.party_id, selectors.keeper_of(astrid.party_id), month=date(2026, 3, 1), today=date(2026, 3, 31))
    assert next(row.spent for row in view.rows if row.category.code == "housing") == eur(20_00)


def test_a_bill_of_an_unknown_amount_is_counted_at_its_most(astrid: Customer, bo: Customer, bill: Callable[..., Bill], time: Time) -> None:
    bill(astrid, name="Phone", amount=eur(25_00), up_to=True, first_on=date(2026, 3, 20))
    assert safe(astrid, time).bills == eur(25_00)


def test_a_bill_an_empty_wallet_could_not_pay_is_still_due(astrid: Customer, bo: Customer, bill: Callable[..., Bill], time: Time) -> None:
    bill(astrid, name="Rent", amount=eur(29_00), first_on=date(2026, 3, 20))
    for index in range(4):
        astrid.send("@bosse", eur(24_00), key=f"k{index}", now=time.now)
    time.to("2026-03-20T22:00")
    assert safe(astrid, time).bills == eur(29_00)
    assert safe(astrid, time).is_short


class TestAPayout:
    def paid_out(self, who: Customer, holder: str, time: Time, note: str = "") -> Payment:
        account = BankAccount(party_id=who.party_id, iban="DE89370400440532013000", name=holder, created_at=time.now)
        account.save()
        payment = Payment(
            kind="payout", state=State.POSTED, party_id=who.party_id, payer_party_id=who.party_id, wallet_from=who.wallet,
            amount_minor=5_00, currency="EUR", bank_account=account, note=note, idempotency_key=holder, request_hash=b"x",
            created_at=time.now, settled_at=time.now,
        )  # fmt: skip
        payment.save()
        services.feed_follow(payment_id=payment.id)
        return payment

    @pytest.mark.parametrize(
        ("holder", "note", "category", "why"),
        [
            ("Stadtwerke München GmbH", "", "housing", Why.WORD),
            ("Vattenfall Kundservice AB", "", "housing", Why.BRAND),
            ("Some Body", "Rent for March", "housing", Why.NOTE),
            ("Some Body", "", "other", Why.TRANSFER),
            ("EXAMPLE Astrid", "", "own", Why.TRANSFER),
        ],
    )
    def test_is_filed_by_note_and_name(self, astrid: Customer, time: Time, holder: str, note: str, category: str, why: Why) -> None:
        self.paid_out(astrid, holder, time, note)
        (item,) = items_of(astrid)
        assert (item.kind, item.category, item.why, item.counterparty) == (Kind.PAYOUT, category, why, holder)

    def test_that_the_other_bank_sends_back_is_taken_out(self, astrid: Customer, time: Time) -> None:
        payment = self.paid_out(astrid, "Some Body", time)
        Payment.objects.filter(id=payment.id).update(state=State.FAILED)
        services.feed_follow(payment_id=payment.id)
        assert items_of(astrid) == []

    def test_keeps_names_encrypted(self, astrid: Customer, time: Time) -> None:
        from django.db import connection

        self.paid_out(astrid, "Some Body", time)
        assert FeedItem.objects.get().merchant == "Some Body"
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(i)::text FROM budgeting_feeditem i")
            assert "Body" not in cursor.fetchone()[0]
