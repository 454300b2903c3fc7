"""Bills on their days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as at_time

import pytest

from accounts.models import Party
from core import due
from core.models import DueWork
from core.money import Money
from payments.bills import services
from payments.bills.errors import AboveCap, MandateExceeded
from payments.bills.handlers import payment_follow
from payments.bills.models import Bill, BillRun
from payments.bills.schedule import Every, Shift
from payments.bills.services.runs import KIND
from payments.models import Payment
from payments.services.mandated import bill_pay, payment_id_of
from tests.unit.payments.bills.conftest import Time, events, runs
from tests.unit.payments.conftest import Customer, eur, fund
from tests.unit.sandbox import outside
from wallets.models import Wallet
from wallets.services import wallet_close

Make = Callable[..., Bill]
GOOD, CLOSED = "DE89370400440532013000", "DE41370400440000000001"


class TestPaying:
    def test_each_period_once_on_its_day(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        time.to("2026-03-31T07:59")
        assert bo.balance() == 0
        time.to("2026-06-30T12:00")
        assert (astrid.balance(), bo.balance()) == (20_00, 80_00)
        assert runs(found) == [("2026-03", "paid"), ("2026-04", "paid"), ("2026-05", "paid"), ("2026-06", "paid"), ("2026-07", "scheduled")]
        payments = Payment.objects.order_by("created_at")
        assert [payment.created_at.date().isoformat() for payment in payments] == ["2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]
        assert {payment.note for payment in payments} == {"Flat 3"}
        assert [event["period"] for event in events("paid")] == ["2026-03", "2026-04", "2026-05", "2026-06"]

    def test_the_payments_id_is_made_of_bill_and_period(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        time.to("2026-03-31T12:00")
        assert Payment.objects.get().id == payment_id_of(found.id, "2026-03")
        for _ in range(3):
            assert services.bill_run(bill_id=found.id, period="2026-03", now=time.now) is None
        assert bo.balance() == 20_00

    def test_at_the_persons_own_time(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        astrid.person.time_zone = "Pacific/Auckland"
        astrid.person.save()
        bill(astrid, at=at_time(6, 30))
        time.to("2026-04-30T00:00")
        # Before and after the end of summer time in New Zealand.
        assert [payment.created_at for payment in Payment.objects.order_by("created_at")] == [
            datetime(2026, 3, 30, 17, 30, tzinfo=UTC),
            datetime(2026, 4, 29, 18, 30, tzinfo=UTC),
        ]

    def test_every_two_weeks_off_weekends(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, every=Every.WEEK, interval=2, first_on=date(2026, 3, 14), shift=Shift.AFTER)
        time.to("2026-04-12T00:00")
        assert list(found.runs.order_by("on_date").values_list("pay_on", flat=True))[:2] == [date(2026, 3, 16), date(2026, 3, 30)]
        assert bo.balance() == 40_00

    def test_what_was_missed_while_nobody_was_there_is_paid_late_and_once_each(
        self, astrid: Customer, bo: Customer, bill: Make, time: Time
    ) -> None:
        found = bill(astrid)
        time.now = datetime(2026, 6, 15, tzinfo=UTC)
        while due.sweep():
            pass
        assert runs(found)[:3] == [("2026-03", "paid"), ("2026-04", "paid"), ("2026-05", "paid")]
        assert bo.balance() == 60_00

    def test_a_first_day_that_is_today_is_paid_now(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        bill(astrid, first_on=time.now.date())
        time.to(time.now)
        assert bo.balance() == 20_00

    def test_set_up_on_a_saturday_for_the_sunday_with_the_day_before(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        time.to("2026-03-14T12:00")
        found = bill(astrid, first_on=date(2026, 3, 15), shift=Shift.BEFORE)
        assert found.runs.get().pay_on == date(2026, 3, 16)

    def test_ends_after_its_last_day(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, last_on=date(2026, 4, 30))
        time.to("2026-12-01T00:00")
        found.refresh_from_db()
        assert (found.state, found.reason, bo.balance()) == ("ended", "completed", 40_00)
        assert runs(found) == [("2026-03", "paid"), ("2026-04", "paid")]

    def test_goes_without_approval_but_never_beyond_the_mandate(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        with pytest.raises(MandateExceeded):
            bill_pay(bill=found, period="2026-03", amount=eur(20_01), now=time.now)
        found.state = "paused"
        with pytest.raises(MandateExceeded):
            bill_pay(bill=found, period="2026-03", amount=eur(1), now=time.now)


class TestEmptyWallet:
    def test_is_tried_the_next_day_then_two_days_later_then_failed(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, amount=eur(20_00))
        astrid.send("@bosse", eur(30_00), now=time.now, key="a", note="")
        astrid.send("@bosse", eur(30_00), now=time.now, key="b", note="")
        astrid.send("@bosse", eur(30_00), now=time.now, key="c", note="")
        time.to("2026-03-31T12:00")
        run = found.runs.get(period="2026-03")
        assert (run.state, run.tries, run.due_at, run.failure_code) == (
            "retrying",
            1,
            datetime(2026, 4, 1, 8, tzinfo=UTC),
            "insufficient_funds",
        )
        time.to("2026-04-02T12:00")
        run.refresh_from_db()
        assert (run.state, run.tries, run.due_at) == ("retrying", 2, datetime(2026, 4, 3, 8, tzinfo=UTC))
        time.to("2026-04-03T12:00")
        assert runs(found) == [("2026-03", "failed"), ("2026-04", "scheduled")]
        assert [event["tries"] for event in events("retrying")] == [1, 2]
        assert [(event["code"], event["tries"]) for event in events("failed")] == [("insufficient_funds", 3)]
        assert (astrid.balance(), Payment.objects.filter(idempotency_key__startswith="bill:").count()) == (10_00, 0)
        fund(astrid.wallet, 50_00, time.now)
        time.to("2026-04-30T12:00")
        assert astrid.balance() == 40_00

    def test_money_that_comes_in_time_pays_it(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        for key in "abc":
            astrid.send("@bosse", eur(30_00), now=time.now, key=key, note="")
        time.to("2026-03-31T12:00")
        fund(astrid.wallet, 50_00, time.now)
        time.to("2026-04-01T12:00")
        assert runs(found)[0] == ("2026-03", "paid")
        assert (astrid.balance(), len(events("paid")), len(events("failed"))) == (40_00, 1, 0)

    def test_nothing_stays_counted_of_a_try_that_failed(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        from compliance.models import Usage

        bill(astrid)
        for key in "abc":
            astrid.send("@bosse", eur(30_00), now=time.now, key=key, note="")
        time.to("2026-04-10T12:00")
        assert sum(Usage.objects.filter(window="month", starts_on=date(2026, 4, 1)).values_list("amount_minor", flat=True)) == 0


class TestGone:
    def test_a_closed_wallet_fails_the_run_and_pauses_the_bill(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        for key in "abc":
            astrid.send("@bosse", eur(30_00), now=time.now, key=key, note="")
        astrid.send("@bosse", eur(10_00), now=time.now, key="d", note="")
        wallet_close(wallet=Wallet.objects.get(id=astrid.wallet.id), now=time.now)
        time.to("2026-03-31T12:00")
        found.refresh_from_db()
        assert (found.state, found.reason, runs(found)[0]) == ("paused", "wallet_closed", ("2026-03", "failed"))
        assert events("paused")[0]["code"] == "wallet_closed"
        time.to("2026-05-01T12:00")
        assert runs(found)[1] == ("2026-04", "skipped")

    def test_a_payee_who_left(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        wallet_close(wallet=Wallet.objects.get(id=bo.wallet.id), now=time.now)
        Party.objects.filter(id=bo.party_id).update(state="closed", closed_at=time.now)
        time.to("2026-03-31T12:00")
        found.refresh_from_db()
        assert (found.state, found.reason, astrid.balance()) == ("paused", "payee_closed", 100_00)


class TestUpTo:
    def test_waits_for_an_amount_and_is_paid_when_it_comes(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, up_to=True)
        time.to("2026-03-31T12:00")
        assert found.runs.get(period="2026-03").failure_code == "amount_missing"
        services.bill_amount_set(by=bo.person, bill_id=found.id, amount=eur(12_34), now=time.now)
        time.to(time.now)
        assert (runs(found)[0], bo.balance()) == (("2026-03", "paid"), 12_34)
        services.bill_amount_set(by=astrid.person, bill_id=found.id, amount=eur(20_00), period="2026-04", now=time.now)
        time.to("2026-04-30T12:00")
        assert bo.balance() == 32_34

    def test_nobody_said_how_much(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, up_to=True)
        time.to("2026-04-10T12:00")
        assert (runs(found)[0], bo.balance(), events("failed")[0]["code"]) == (("2026-03", "failed"), 0, "amount_missing")

    def test_above_the_limit_is_refused_and_the_payer_is_told(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, up_to=True)
        with pytest.raises(AboveCap):
            services.bill_amount_set(by=bo.person, bill_id=found.id, amount=eur(20_01), now=time.now)
        assert [(event["amount"], event["period"]) for event in events("amount_refused")] == [(20_01, "2026-03")]
        with pytest.raises(AboveCap):
            services.bill_amount_set(by=astrid.person, bill_id=found.id, amount=eur(20_01), now=time.now)
        assert len(events("amount_refused")) == 1
        assert found.runs.get().amount_minor is None


class TestToABank:
    def pay(self, bank: outside.Sandbox, time: Time, moment: str) -> None:
        """The sandbox's bank lives in real time; everything else in the test's."""
        time.to(moment)
        bank.control("settle")
        time.now += timedelta(hours=1)
        due.sweep(kinds=["payments.payout_check"])
        due.sweep(kinds=[KIND])

    def test_is_held_ordered_and_paid_once(self, bank: outside.Sandbox, astrid: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, iban=GOOD, holder="Land Lord")
        time.now = datetime(2026, 3, 31, 8, tzinfo=UTC)
        due.sweep(kinds=[KIND])
        assert runs(found)[0] == ("2026-03", "under_way")
        due.sweep(kinds=["payments.payout_check"])
        assert Payment.objects.get().state == "waiting"
        bank.control("settle")
        time.now += timedelta(hours=1)
        due.sweep(kinds=["payments.payout_check", KIND])
        due.sweep(kinds=[KIND])
        assert (runs(found)[0], astrid.balance()) == (("2026-03", "paid"), 80_00)
        assert len(events("paid")) == 1

    def test_sent_back_it_fails_and_is_not_tried_again(self, bank: outside.Sandbox, astrid: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, iban=CLOSED, holder="Land Lord")
        time.now = datetime(2026, 3, 31, 8, tzinfo=UTC)
        due.sweep(kinds=[KIND])
        due.sweep(kinds=["payments.payout_check"])
        bank.control("settle")
        time.now += timedelta(hours=1)
        due.sweep(kinds=["payments.payout_check"])
        due.sweep(kinds=[KIND])
        assert (runs(found)[0], astrid.balance(), events("failed")[0]["code"]) == (("2026-03", "failed"), 100_00, "AC04")

    def test_sent_back_days_later_the_paid_run_fails(self, bank: outside.Sandbox, astrid: Customer, bill: Make, time: Time) -> None:
        from core.models import Event

        found = bill(astrid, iban=GOOD, holder="Land Lord")
        time.now = datetime(2026, 3, 31, 8, tzinfo=UTC)
        for _ in range(3):
            due.sweep(kinds=[KIND])
            due.sweep(kinds=["payments.payout_check"])
            bank.control("settle")
            time.now += timedelta(hours=1)
        assert runs(found)[0] == ("2026-03", "paid")
        bank.control(f"bank/{Payment.objects.get().provider.object_id}/return")
        time.now += timedelta(days=2)
        due.sweep(kinds=["payments.payout_check"])
        payment_follow(Event.objects.get(name="payments.payout.failed"))
        assert (runs(found)[0], astrid.balance()) == (("2026-03", "failed"), 100_00)


class TestAYear:
    def test_of_three_bills_over_weekends_clock_changes_and_an_empty_wallet(
        self, bank: outside.Sandbox, astrid: Customer, bo: Customer, bill: Make, time: Time
    ) -> None:
        astrid.person.time_zone = "Europe/Stockholm"
        astrid.person.save()
        fund(astrid.wallet, 1_000_00, time.now)
        rent = bill(astrid, first_on=date(2026, 3, 31), shift=Shift.AFTER, country="SE")
        weekly = bill(astrid, name="Pocket money", every=Every.WEEK, first_on=date(2026, 3, 14), amount=eur(5_00), at=at_time(2, 30))
        yearly = bill(astrid, name="Club", interval=12, first_on=date(2026, 12, 31), amount=eur(25_00), shift=Shift.BEFORE, country="SE")
        while time.now < datetime(2027, 3, 11, tzinfo=UTC):
            time.to(time.now + timedelta(days=1))
            if time.now.date() == date(2026, 7, 15):
                self.empty(astrid, time)
            if time.now.date() == date(2026, 8, 1):
                fund(astrid.wallet, 1_000_00, time.now)
        months = [f"2026-{month:02}" for month in range(3, 13)] + ["2027-01", "2027-02"]
        # On 31 July and the morning after there was nothing; on 3 August there was again.
        assert runs(rent) == [*((month, "paid") for month in months), ("2027-03", "scheduled")]
        assert [event["period"] for event in events("retrying") if event["bill_id"] == str(rent.id)] == ["2026-07"] * 2
        weeks = runs(weekly)[:-1]
        assert len(weeks) == 52
        assert [period for period, state in weeks if state == "failed"] == ["2026-07-18", "2026-07-25"]
        assert runs(yearly) == [("2026-12", "paid"), ("2027-12", "scheduled")]
        assert BillRun.objects.get(bill=yearly, period="2026-12").pay_on == date(2026, 12, 30)
        paid = BillRun.objects.filter(state="paid")
        assert Payment.objects.filter(idempotency_key__startswith="bill:", state="posted").count() == paid.count() == 12 + 50 + 1
        assert len(events("paid")) == 63
        for run in BillRun.objects.filter(bill=weekly, state="paid", tries=1):
            assert run.payment is not None
            local = run.payment.created_at.astimezone(weekly.plan.moment(run.pay_on).tzinfo)
            assert local == weekly.plan.moment(run.pay_on)
        assert not DueWork.objects.filter(state="dead").exists()

    def empty(self, astrid: Customer, time: Time) -> None:
        left = astrid.balance()
        for number in range(0, left, 30_00):
            astrid.send("@bosse", Money(min(30_00, left - number), "EUR"), now=time.now, key=f"empty{number}", note="")
