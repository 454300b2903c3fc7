"""Many bills at once: what a batch does is what bill_run does for each, and what it is not sure of it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from compliance.models import LimitRule, PartyLevel, Usage
from compliance.screening.models import Verdict
from core import due
from core.models import DueWork, Event
from payments.bills import services
from payments.bills.models import Bill, BillRun
from payments.bills.services import batches
from payments.bills.services.runs import KIND
from payments.models import Payment, PaymentStep
from tests.unit.payments.bills.conftest import Time, runs
from tests.unit.payments.conftest import Customer, customer_make, eur, fund
from wallets.services import wallet_close
from wallets.verify import verify

Make = Callable[..., Bill]
DAY = datetime.fromisoformat("2026-03-31T12:00+00:00")


def together(*bills: Bill, period: str = "2026-03", now: datetime = DAY) -> set[str]:
    """The names of the bills that the batch paid."""
    paid = services.bill_runs(wanted={(bill.id, period) for bill in bills}, now=now)
    return {bill.name for bill in bills if (bill.id, period) in paid}


def facts() -> list[Any]:
    """Everything a paid run leaves behind, but for what differs from one bill to the next."""
    payments = [
        {
            name: value
            for name, value in row.items()
            if name not in ("id", "party_id", "payer_party_id", "wallet_from_id", "by_person_id", "idempotency_key", "request_hash", "note")
        }
        for row in Payment.objects.order_by("id").values()
    ]
    ids = ("payment_id", "bill_id", "run_id")
    told = [(event.name, {key: value for key, value in event.data.items() if key not in ids}) for event in Event.objects.all()]
    run = ("state", "period", "on_date", "pay_on", "due_at", "tries", "failure_code", "decided_at")
    return [
        payments,
        list(PaymentStep.objects.order_by("id").values("at", "state", "code")),
        sorted(told, key=str),
        list(BillRun.objects.order_by("on_date", "id").values(*run)),
        list(DueWork.objects.filter(kind=KIND).order_by("due_at", "id").values("due_at")),
        list(Usage.objects.order_by("party_id", "window").values("direction", "window", "amount_minor")),
    ]


def undone(run: Callable[[], object]) -> list[Any]:
    """What `run` leaves behind, with all of it taken back."""
    with transaction.atomic():
        run()
        found = facts()
        transaction.set_rollback(True)
    return found


class TestTheSame:
    @pytest.mark.parametrize("last_on", [None, date(2026, 3, 31)], ids=["goes on", "ends"])
    def test_as_one_at_a_time(self, astrid: Customer, bo: Customer, bill: Make, time: Time, last_on: date | None) -> None:
        bills = [bill(astrid, last_on=last_on), bill(astrid, last_on=last_on)]
        time.now = DAY
        alone = undone(lambda: [services.bill_run(bill_id=found.id, period="2026-03", now=DAY) for found in bills])
        assert len(alone[0]) == 2
        assert undone(lambda: together(*bills)) == alone
        assert verify().problems == []

    def test_again_does_nothing(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        time.now = DAY
        assert together(found) == {"Rent"}
        assert together(found) == set()
        assert services.bill_run(bill_id=found.id, period="2026-03", now=DAY) is None
        assert bo.balance() == 20_00


class TestLeavesAlone:
    """Each for bill_run to judge; the plain one beside it is paid, and nothing of the other is counted or written."""

    @pytest.fixture
    def plain(self, customer_rich: Customer, bill: Make) -> Bill:
        return bill(customer_rich, name="Plain", payee="@carla", amount=eur(1_00))

    @pytest.fixture
    def customer_rich(self, time: Time) -> Customer:
        customer_make("carla", level=1, at=time.now)
        return customer_make("dora", balance=50_00, level=1, at=time.now)

    def only_plain(self, time: Time, plain: Bill, *others: Bill) -> None:
        time.now = DAY
        before = set(Usage.objects.values_list("party_id", "amount_minor"))
        assert together(plain, *others) == {"Plain"}
        assert Payment.objects.filter(idempotency_key__startswith="bill:").count() == 1
        counted = set(Usage.objects.exclude(party_id=plain.party_id).values_list("party_id", "amount_minor"))
        assert {row for row in counted if row[1]} <= before
        for other in others:
            assert not Event.objects.filter(name="payments.bill.paid", party_id=other.party_id).exists()

    def test_more_than_the_wallet_has(self, astrid: Customer, bo: Customer, bill: Make, plain: Bill, time: Time) -> None:
        self.only_plain(time, plain, bill(astrid, amount=eur(100_01)))

    def test_the_last_of_four_when_the_wallet_covers_three(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        four = [bill(astrid, name=name, amount=eur(30_00)) for name in "ABCD"]
        time.now = DAY
        assert len(together(*four)) == 3
        assert bo.balance() == 90_00
        assert set(Usage.objects.filter(party_id=astrid.party_id).values_list("amount_minor", flat=True)) == {90_00}

    def test_a_limit_that_does_not_cover_all_of_its_party(
        self, astrid: Customer, bo: Customer, bill: Make, plain: Bill, time: Time
    ) -> None:
        two = [bill(astrid, name=name, amount=eur(30_00)) for name in ("A", "B")]
        LimitRule.objects.filter(level=2, direction="out", window="day").update(amount_minor=50_00)
        PartyLevel.objects.filter(party_id=astrid.party_id).update(level=2)
        self.only_plain(time, plain, *two)

    def test_a_payee_without_room_for_all(self, astrid: Customer, bo: Customer, bill: Make, plain: Bill, time: Time) -> None:
        found = bill(astrid)
        LimitRule.objects.filter(level=2, window="balance").update(amount_minor=10_00)
        PartyLevel.objects.filter(party_id=bo.party_id).update(level=2)
        self.only_plain(time, plain, found)

    def test_a_side_that_is_not_cleared(self, astrid: Customer, bo: Customer, bill: Make, plain: Bill, time: Time) -> None:
        found = bill(astrid)
        Verdict.objects.filter(party_id=bo.party_id).update(state=Verdict.State.HIT)
        self.only_plain(time, plain, found)

    def test_a_payee_whose_wallet_is_closed(self, astrid: Customer, bo: Customer, bill: Make, plain: Bill, time: Time) -> None:
        found = bill(astrid)
        wallet_close(wallet=bo.wallet, now=time.now)
        self.only_plain(time, plain, found)

    def test_a_bill_that_is_paused(self, astrid: Customer, bo: Customer, bill: Make, plain: Bill, time: Time) -> None:
        found = bill(astrid)
        Bill.objects.filter(id=found.id).update(state="paused")
        self.only_plain(time, plain, found)

    def test_an_amount_that_is_not_known(self, astrid: Customer, bo: Customer, bill: Make, plain: Bill, time: Time) -> None:
        self.only_plain(time, plain, bill(astrid, up_to=True))

    def test_a_day_that_has_not_come(self, astrid: Customer, bo: Customer, bill: Make, plain: Bill, time: Time) -> None:
        self.only_plain(time, plain, bill(astrid, first_on=date(2026, 4, 1)))


class TestDue:
    def test_what_the_batch_leaves_is_judged_in_the_same_sweep(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        four = [bill(astrid, name=name, amount=eur(30_00)) for name in "ABCD"]
        time.now = DAY
        assert due.sweep(kinds=[KIND]) == 4
        assert sorted(runs(found)[0][1] for found in four) == ["paid", "paid", "paid", "retrying"]
        assert bo.balance() == 90_00

    def test_a_batch_that_breaks_is_paid_one_by_one(
        self, astrid: Customer, bo: Customer, bill: Make, time: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        two = [bill(astrid, name=name) for name in ("A", "B")]
        time.now = DAY

        def broken(*_args: object) -> None:
            raise IntegrityError

        monkeypatch.setattr(batches, "_plan_next_all", broken)
        assert due.sweep(kinds=[KIND]) == 2
        assert [runs(found)[0][1] for found in two] == ["paid", "paid"]
        assert (bo.balance(), Payment.objects.count()) == (40_00, 2)
        assert set(Usage.objects.filter(party_id=astrid.party_id).values_list("amount_minor", flat=True)) == {40_00}

    def test_a_hundred_cost_few_queries_more_than_one(
        self, astrid: Customer, bo: Customer, bill: Make, time: Time, django_assert_max_num_queries: Any
    ) -> None:
        fund(astrid.wallet, 500_00, time.now)
        many = [bill(astrid, name=str(number), note="", amount=eur(1_00)) for number in range(30)]
        time.now = DAY
        with django_assert_max_num_queries(30 + len(many)):
            assert len(together(*many)) == len(many)
