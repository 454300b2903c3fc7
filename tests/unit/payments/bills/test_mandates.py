"""Setting bills up, changing, pausing and ending them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.approvals import approval_confirm
from accounts.errors import ApprovalInvalid, ApprovalMismatch, PayeeUnknown
from compliance.errors import LimitExceeded
from core.api.paging import CursorInvalid
from core.errors import NotFound
from core.idempotency import IdempotencyConflict
from core.ids import uuid7
from core.models import DueWork
from core.money import AmountInvalid, CurrencyMismatch, Money
from payments.bills import selectors, services
from payments.bills.errors import (
    AmountFixed,
    BillEnded,
    BillNotWaiting,
    DateInPast,
    DateTooFar,
    LastBeforeFirst,
    NameRequired,
    NothingComing,
    PayeeRequired,
    ScheduleInvalid,
)
from payments.bills.models import Bill
from payments.bills.schedule import Every, Shift
from payments.bills.services import To, bill_end
from payments.errors import HolderRequired, IbanInvalid, NoteTooLong, PayeeIsSelf
from tests.unit.payments.bills.conftest import Time, events, runs, terms
from tests.unit.payments.conftest import PASSWORD, Customer, customer_make, eur, fund
from wallets.errors import WalletClosed, WalletNotFound
from wallets.models import Wallet
from wallets.services import wallet_close, wallet_open

Make = Callable[..., Bill]
IBAN = "DE89370400440532013000"


def approve(bill: Bill, who: Customer, now: datetime) -> Bill:
    wanted = bill.change_approval or bill.approval
    assert wanted is not None
    approval_confirm(who.person, wanted.id, password=PASSWORD, now=now)
    return services.bill_approve(by=who.person, bill_id=bill.id, now=now)


class TestConsent:
    def test_up_to_30_eur_it_begins_at_once(self, astrid: Customer, bo: Customer, bill: Make) -> None:
        found = bill(astrid, amount=eur(30_00))
        assert (found.state, found.approval, runs(found)) == ("active", None, [("2026-03", "scheduled")])

    def test_above_the_person_approves_exactly_this(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, amount=eur(30_01))
        assert (found.state, runs(found), len(events("requires_approval"))) == ("requires_approval", [], 1)
        with pytest.raises(ApprovalInvalid):
            services.bill_approve(by=astrid.person, bill_id=found.id, now=time.now)
        assert approve(found, astrid, time.now).state == "active"
        fund(astrid.wallet, 100_00, time.now)
        time.to("2026-04-30T12:00")
        assert bo.balance() == 60_02

    def test_not_for_another_bill(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        small, large = bill(astrid, amount=eur(40_00)), bill(astrid, amount=eur(90_00))
        assert small.approval is not None
        approval_confirm(astrid.person, small.approval.id, password=PASSWORD, now=time.now)
        with pytest.raises(ApprovalMismatch):
            services.bill_approve(by=astrid.person, bill_id=large.id, approval_id=small.approval.id, now=time.now)

    def test_a_partner_is_never_exempt(self, astrid: Customer, bo: Customer, bill: Make) -> None:
        assert bill(astrid, amount=eur(1), present=False).state == "requires_approval"

    def test_unapproved_it_ends_after_a_day(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, amount=eur(40_00))
        again = services.bill_approval_request(by=astrid.person, bill_id=found.id, now=time.now)
        assert again != found.approval
        time.to(time.now + timedelta(hours=25))
        found.refresh_from_db()
        assert (found.state, found.reason) == ("ended", "expired")
        with pytest.raises(BillNotWaiting):
            services.bill_approve(by=astrid.person, bill_id=found.id, now=time.now)

    def test_the_same_key_is_one_bill(self, astrid: Customer, bo: Customer, bill: Make) -> None:
        assert bill(astrid, key="k").id == bill(astrid, key="k").id
        with pytest.raises(IdempotencyConflict):
            bill(astrid, key="k", amount=eur(1))
        assert Bill.objects.count() == 1

    def test_a_preview_writes_nothing_and_shows_the_first_days(self, astrid: Customer, bo: Customer, time: Time) -> None:
        found = services.bill_preview(
            by=astrid.person, party_id=astrid.party_id, to=To(payee="@bosse"), terms=terms(astrid, amount=eur(50_00)), now=time.now
        )
        assert (found.needs_approval, found.payee_name, found.payee_detail) == (True, "Bosse E.", "@bosse")
        assert found.days == (date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30))
        assert not Bill.objects.exists()


class TestBadInput:
    @pytest.mark.parametrize(
        ("wrong", "error", "field"),
        [
            ({"payee": "@nobody"}, PayeeUnknown, "payee"),
            ({"payee": "@astrid"}, PayeeIsSelf, "payee"),
            ({"payee": ""}, PayeeRequired, "payee"),
            ({"iban": "DE1", "holder": "L"}, IbanInvalid, "iban"),
            ({"iban": IBAN, "holder": ""}, HolderRequired, "holder"),
            ({"name": " "}, NameRequired, "name"),
            ({"name": "x" * 61}, NameRequired, "name"),
            ({"note": "x" * 141}, NoteTooLong, "note"),
            ({"amount": eur(0)}, AmountInvalid, "amount"),
            ({"amount": Money(100, "SEK")}, CurrencyMismatch, "amount"),
            ({"amount": eur(10_000_01)}, LimitExceeded, "amount"),
            ({"wallet_id": uuid7()}, WalletNotFound, None),
            ({"first_on": date(2026, 3, 10)}, DateInPast, "first_on"),
            ({"first_on": date(2040, 1, 1)}, DateTooFar, "first_on"),
            ({"last_on": date(2026, 3, 30)}, LastBeforeFirst, "last_on"),
            ({"interval": 0}, ScheduleInvalid, "interval"),
            ({"interval": 13}, ScheduleInvalid, "interval"),
            ({"anchor": 32}, ScheduleInvalid, "anchor"),
            ({"country": "XX"}, ScheduleInvalid, "country"),
        ],
    )
    def test_is_refused_by_name_at_its_field(
        self, astrid: Customer, bo: Customer, bill: Make, wrong: dict[str, Any], error: type[Any], field: str | None
    ) -> None:
        with pytest.raises(error) as caught:
            bill(astrid, **wrong)
        assert caught.value.field == field
        assert not Bill.objects.exists()
        assert not DueWork.objects.filter(kind="payments.bill_run").exists()

    def test_from_a_closed_wallet(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        crowns = wallet_open(party_id=astrid.party_id, currency="SEK", now=time.now)
        wallet_close(wallet=Wallet.objects.get(id=crowns.id), now=time.now)
        with pytest.raises(WalletClosed) as caught:
            bill(astrid, wallet_id=crowns.id, amount=Money(100, "SEK"))
        assert caught.value.field == "wallet"

    def test_the_30th_of_february_is_the_last_day(self, astrid: Customer, bo: Customer, bill: Make) -> None:
        found = bill(astrid, first_on=date(2027, 2, 1), anchor=30)
        assert found.runs.get().on_date == date(2027, 2, 28)


class TestChange:
    def test_holds_from_the_next_payment_on(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        time.to("2026-04-01T00:00")
        services.bill_change(by=astrid.person, bill_id=found.id, terms=terms(astrid, amount=eur(25_00)), now=time.now)
        time.to("2026-05-01T00:00")
        assert bo.balance() == 45_00
        assert runs(found) == [("2026-03", "paid"), ("2026-04", "paid"), ("2026-05", "scheduled")]
        assert len(events("changed")) == 1

    def test_another_day_never_pays_a_month_twice(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, first_on=date(2026, 3, 15))
        time.to("2026-03-16T00:00")
        services.bill_change(by=astrid.person, bill_id=found.id, terms=terms(astrid, first_on=date(2026, 3, 20)), now=time.now)
        assert runs(found) == [("2026-03", "paid"), ("2026-04", "scheduled")]
        time.to("2026-04-20T12:00")
        assert bo.balance() == 40_00

    def test_there_and_back_within_a_month_is_paid_once(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, first_on=date(2026, 3, 20))
        for day in (date(2026, 4, 5), date(2026, 3, 25), date(2026, 3, 20), date(2026, 3, 28)):
            services.bill_change(by=astrid.person, bill_id=found.id, terms=terms(astrid, first_on=day), now=time.now)
        time.to("2026-03-27T12:00")
        assert bo.balance() == 0
        time.to("2026-03-31T12:00")
        assert (bo.balance(), runs(found)[0]) == (20_00, ("2026-03", "paid"))

    def test_above_the_exemption_waits_for_approval_and_all_is_as_before_until_then(
        self, astrid: Customer, bo: Customer, bill: Make, time: Time
    ) -> None:
        found = bill(astrid)
        waiting = services.bill_change(by=astrid.person, bill_id=found.id, terms=terms(astrid, amount=eur(50_00)), now=time.now)
        assert (waiting.amount_minor, bool(waiting.change)) == (20_00, True)
        time.to("2026-03-31T12:00")
        assert bo.balance() == 20_00
        services.bill_approval_request(by=astrid.person, bill_id=found.id, now=time.now)
        changed = approve(Bill.objects.get(id=found.id), astrid, time.now)
        assert (changed.amount_minor, changed.change) == (50_00, "")
        time.to("2026-04-30T12:00")
        assert bo.balance() == 70_00

    def test_of_words_only_needs_nothing(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = approve(bill(astrid, amount=eur(50_00)), astrid, time.now)
        wish = terms(astrid, amount=eur(50_00), name="Room", anchor=31)
        changed = services.bill_change(by=astrid.person, bill_id=found.id, terms=wish, now=time.now)
        assert (changed.name, changed.change) == ("Room", "")

    def test_can_be_dropped(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        services.bill_change(by=astrid.person, bill_id=found.id, terms=terms(astrid, amount=eur(50_00)), now=time.now)
        services.bill_change_drop(by=astrid.person, bill_id=found.id, now=time.now)
        found.refresh_from_db()
        assert (found.change, found.amount_minor) == ("", 20_00)


class TestSteering:
    def test_pause_skips_what_comes_and_resume_goes_on(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        services.bill_pause(by=astrid.person, bill_id=found.id, now=time.now)
        services.bill_pause(by=astrid.person, bill_id=found.id, now=time.now)
        time.to("2026-05-01T00:00")
        services.bill_resume(by=astrid.person, bill_id=found.id, now=time.now)
        time.to("2026-05-31T12:00")
        assert (bo.balance(), runs(found)[:3]) == (20_00, [("2026-03", "skipped"), ("2026-04", "skipped"), ("2026-05", "paid")])
        assert len(events("paused")) == len(events("resumed")) == 1

    def test_skipping_twice_what_was_seen_once_skips_one(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        services.bill_skip_next(by=astrid.person, bill_id=found.id, period="2026-03", now=time.now)
        with pytest.raises(NothingComing):
            services.bill_skip_next(by=astrid.person, bill_id=found.id, period="2026-03", now=time.now)
        time.to("2026-04-30T12:00")
        assert (bo.balance(), runs(found)[0]) == (20_00, ("2026-03", "skipped"))

    def test_skipping_the_last_ends_it(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, last_on=date(2026, 3, 31))
        assert services.bill_skip_next(by=astrid.person, bill_id=found.id, now=time.now).state == "ended"

    def test_end_stops_everything(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid)
        services.bill_end(by=astrid.person, bill_id=found.id, now=time.now)
        assert services.bill_end(by=astrid.person, bill_id=found.id, now=time.now).state == "ended"
        time.to("2026-12-01T00:00")
        assert (bo.balance(), runs(found)) == (0, [("2026-03", "skipped")])
        for act in (services.bill_pause, services.bill_resume, services.bill_skip_next):
            with pytest.raises(BillEnded):
                act(by=astrid.person, bill_id=found.id, now=time.now)

    def test_with_the_account(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        bill(astrid)
        bill(astrid, amount=eur(90_00))
        assert services.bills_end_all(party_id=astrid.party_id, now=time.now) == 2
        assert set(Bill.objects.values_list("state", flat=True)) == {"ended"}

    def test_is_nobody_elses(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        found = bill(astrid, up_to=True)
        for act in (services.bill_pause, services.bill_resume, services.bill_skip_next, services.bill_end, services.bill_approve):
            with pytest.raises(NotFound):
                act(by=bo.person, bill_id=found.id, now=time.now)
        with pytest.raises(NotFound):
            selectors.bill_get(bo.party_id, found.id)
        stranger = customer_make("carla", at=time.now)
        with pytest.raises(NotFound):
            services.bill_amount_set(by=stranger.person, bill_id=found.id, amount=eur(1), now=time.now)
        with pytest.raises(AmountFixed):
            services.bill_amount_set(by=bo.person, bill_id=bill(astrid).id, amount=eur(1), now=time.now)


class TestSelectors:
    def test_what_is_coming(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        rent = bill(astrid, shift=Shift.AFTER)
        bill(astrid, name="Gas", up_to=True, first_on=date(2026, 3, 20))
        weekly = bill(astrid, name="Club", every=Every.WEEK, first_on=date(2026, 4, 20), last_on=date(2026, 4, 30), amount=eur(5_00))
        paused = bill(astrid, name="Paused")
        services.bill_pause(by=astrid.person, bill_id=paused.id, now=time.now)
        found = selectors.bills_coming(astrid.party_id, date(2026, 3, 15), date(2026, 4, 30))
        assert [(one.name, one.on.isoformat(), one.amount, one.is_sure) for one in found] == [
            ("Gas", "2026-03-20", None, True),
            ("Rent", "2026-03-31", eur(20_00), True),
            ("Gas", "2026-04-20", None, False),
            ("Club", "2026-04-20", eur(5_00), True),
            ("Club", "2026-04-27", eur(5_00), False),
            ("Rent", "2026-04-30", eur(20_00), False),
        ]
        assert found[0].at_most == eur(20_00)
        assert selectors.bills_coming(bo.party_id, date(2026, 3, 15), date(2026, 4, 30)) == []
        services.bill_skip_next(by=astrid.person, bill_id=rent.id, now=time.now)
        services.bill_end(by=astrid.person, bill_id=weekly.id, now=time.now)
        assert [one.name for one in selectors.bills_coming(astrid.party_id, date(2026, 3, 15), date(2026, 4, 30))] == ["Gas", "Gas", "Rent"]

    def test_one_tried_again_stands_on_the_day_of_its_next_try(self, astrid: Customer, bo: Customer, bill: Make, time: Time) -> None:
        bill(astrid, up_to=True)
        time.to("2026-03-31T12:00")
        first = selectors.bills_coming(astrid.party_id, date(2026, 3, 31), date(2026, 4, 20))[0]
        assert (first.on, first.is_retry) == (date(2026, 4, 1), True)

    def test_the_payee_sees_no_limit(self, astrid: Customer, bo: Customer, bill: Make) -> None:
        found = bill(astrid, up_to=True)
        [seen] = selectors.bills_to(bo.party_id).rows
        assert (seen.id, seen.payer, seen.note, seen.period, seen.amount) == (found.id, "Astrid E.", "Flat 3", "2026-03", None)

    def test_a_list_costs_the_same_however_long(self, astrid: Customer, bo: Customer, bill: Make) -> None:
        for _ in range(6):
            bill(astrid)
        bill(astrid, iban=IBAN, holder="Land Lord")
        with CaptureQueriesContext(connection) as queries:
            views = selectors.bills_for(astrid.party_id).rows
            [(view.bill.name, view.payee, view.payee_detail, view.coming) for view in views]
        # Data keys that are not committed yet, as here, are read each time.
        assert len([query for query in queries.captured_queries if "core_data_key" not in query["sql"]]) == 3
        assert (len(views), views[0].payee, views[0].payee_detail) == (7, "Land Lord", "DE…3000")
        assert views[0].coming is not None
        assert views[0].coming.due_at == datetime(2026, 3, 31, 8, tzinfo=UTC)

    @pytest.mark.parametrize("which", ["mine", "ended", "asked"])
    def test_pages_meet_without_gap_or_repeat(self, astrid: Customer, bo: Customer, bill: Make, which: str, time: Time) -> None:
        made = [bill(astrid, up_to=True).id for _ in range(5)]
        if which == "ended":
            for bill_id in made:
                bill_end(by=astrid.person, bill_id=bill_id, now=time.now)
        lists: dict[str, Callable[..., Any]] = {
            "mine": partial(selectors.bills_for, astrid.party_id),
            "ended": partial(selectors.bills_for, astrid.party_id, ended=True),
            "asked": partial(selectors.bills_to, bo.party_id),
        }
        listed = lists[which]
        seen, cursor = [], ""
        while True:
            page = listed(cursor=cursor, limit=2)
            seen += [view.id for view in page.rows]
            cursor = page.next_cursor
            if not cursor:
                break
        assert (sorted(seen), len(seen)) == (sorted(made), 5)
        with pytest.raises(CursorInvalid):
            listed(cursor="nonsense")

    def test_only_its_payee_is_asked_and_only_up_to(self, astrid: Customer, bo: Customer, bill: Make) -> None:
        fixed, up_to = bill(astrid), bill(astrid, up_to=True)
        assert selectors.bill_asked(bo.party_id, up_to.id).id == up_to.id
        for party_id, bill_id in ((bo.party_id, fixed.id), (astrid.party_id, up_to.id)):
            with pytest.raises(NotFound):
                selectors.bill_asked(party_id, bill_id)

    def test_the_lists_of_the_page_cost_the_same_however_long(self, astrid: Customer, bo: Customer, bill: Make) -> None:
        def queries_of(listed: Callable[[], object]) -> int:
            with CaptureQueriesContext(connection) as queries:
                listed()
            return len([query for query in queries.captured_queries if "core_data_key" not in query["sql"]])

        bill(astrid, up_to=True)
        day = date(2026, 3, 11)
        lists: list[Callable[[], object]] = [
            partial(selectors.bills_to, bo.party_id),
            partial(selectors.bills_for, astrid.party_id),
            partial(selectors.bills_coming, astrid.party_id, day, day + timedelta(days=60)),
        ]
        before = [queries_of(listed) for listed in lists]
        for _ in range(4):
            bill(astrid, up_to=True)
        assert [queries_of(listed) for listed in lists] == before
