from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from core import crypto
from core.api.paging import CursorInvalid
from core.errors import NotFound
from payments import selectors
from payments.models import Payment, State
from payments.selectors import Filters, closing_reasons, payment_get, payments_by_id, payments_for, payments_latest, recent_payees
from payments.services import transfer_cancel, transfer_reverse
from tests.unit.payments.conftest import Customer, eur, fund


@pytest.fixture
def history(astrid: Customer, bo: Customer, now: datetime) -> list[Payment]:
    """Five sent and four received, an hour apart, oldest first."""
    fund(bo.wallet, 20_00, now)
    found = []
    for number in range(9):
        sender, payee = (astrid, "@bosse") if number % 2 == 0 else (bo, "@astrid")
        amount = eur(5_00 + number)
        found.append(sender.send(payee, amount, note=f"note {number}x", now=now + timedelta(hours=number)).payment)
    return found


@pytest.mark.django_db
class TestPaymentsFor:
    def test_newest_first_signed_and_named(self, astrid: Customer, bo: Customer, history: list[Payment]) -> None:
        rows = payments_for(astrid.party_id).rows
        assert [row.id for row in rows] == [payment.id for payment in reversed(history)]
        latest = rows[0]
        assert (latest.direction, latest.amount, latest.counterparty, latest.handle) == ("out", eur(-5_08), "Bosse E.", "bosse")
        assert (latest.label, latest.state_label, latest.payment.note, latest.settled) == ("Sent", "Done", "note 8x", True)
        assert payments_for(bo.party_id).rows[0].amount == eur(5_08)
        assert payments_for(bo.party_id).rows[0].counterparty == "Astrid E."

    def test_pages_meet_without_gap_or_repeat(self, astrid: Customer, history: list[Payment]) -> None:
        seen, cursor = [], ""
        while True:
            page = payments_for(astrid.party_id, cursor=cursor, limit=2)
            seen += [row.id for row in page.rows]
            cursor = page.next_cursor
            if not cursor:
                break
        assert seen == [payment.id for payment in reversed(history)]

    def test_pages_meet_when_many_have_one_moment(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        made = {astrid.send("@bosse", eur(1_00), now=now).payment.id for _ in range(5)}
        first = payments_for(astrid.party_id, limit=2)
        second = payments_for(astrid.party_id, limit=3, cursor=first.next_cursor)
        assert {row.id for row in first.rows + second.rows} == made
        assert not second.next_cursor

    def test_a_new_payment_does_not_shift_the_next_page(
        self, astrid: Customer, bo: Customer, history: list[Payment], now: datetime
    ) -> None:
        first = payments_for(astrid.party_id, limit=4)
        astrid.send("@bosse", eur(1_00), now=now + timedelta(days=1))
        assert payments_for(astrid.party_id, limit=1, cursor=first.next_cursor).rows[0].id == history[4].id

    @pytest.mark.parametrize("cursor", ["x", "%%%", "AAAA", "=", "\u06f1", "MjAyNi0wMS0wMVQwMDowMDowMHww"])
    def test_a_cursor_that_is_none_is_refused(self, astrid: Customer, cursor: str) -> None:
        with pytest.raises(CursorInvalid):
            payments_for(astrid.party_id, cursor=cursor)

    def test_of_nobody_else(self, customer: Callable[..., Customer], history: list[Payment]) -> None:
        assert payments_for(customer("stranger").party_id).rows == []

    def test_limits_of_the_page(self, astrid: Customer, history: list[Payment]) -> None:
        assert len(payments_for(astrid.party_id, limit=0).rows) == 1
        assert len(payments_for(astrid.party_id, limit=10**9).rows) == 9
        assert len(payments_latest(astrid.party_id, limit=5)) == 5


class TestQueries:
    def test_a_page_costs_the_same_however_long(
        self, fresh_db: str, astrid: Customer, bo: Customer, history: list[Payment], django_assert_num_queries
    ) -> None:
        for limit in (2, 50):
            crypto.cache_clear()
            with django_assert_num_queries(4):
                payments_for(astrid.party_id, limit=limit)


@pytest.mark.django_db
class TestFilters:
    def ids(self, customer: Customer, **wanted: object) -> list[int]:
        rows = payments_for(customer.party_id, filters=Filters(**wanted)).rows  # type: ignore[arg-type]
        return [abs(row.amount.amount) - 5_00 for row in rows]

    def test_by_direction_and_state_and_kind(self, astrid: Customer, history: list[Payment]) -> None:
        assert self.ids(astrid, direction="in") == [7, 5, 3, 1]
        assert self.ids(astrid, direction="out") == [8, 6, 4, 2, 0]
        assert self.ids(astrid, state="failed") == []
        assert self.ids(astrid, kind="top_up") == []
        assert len(self.ids(astrid, kind="transfer", state="posted")) == 9

    def test_by_day_in_the_readers_time_zone(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        # 23:30 UTC on the 11th is the 12th in Stockholm.
        astrid.send("@bosse", eur(5_00), now=now.replace(hour=22, minute=30))
        astrid.send("@bosse", eur(5_01), now=now.replace(hour=23, minute=30))
        stockholm = {"time_zone": "Europe/Stockholm"}
        assert self.ids(astrid, from_date=date(2026, 3, 12), **stockholm) == [1]
        assert self.ids(astrid, to_date=date(2026, 3, 11), **stockholm) == [0]
        assert self.ids(astrid, from_date=date(2026, 3, 12)) == []

    def test_by_wallet(self, astrid: Customer, bo: Customer, history: list[Payment]) -> None:
        assert len(self.ids(astrid, wallet_id=astrid.wallet.id)) == 9
        sek = bo.wallet.id
        assert len(self.ids(astrid, wallet_id=sek)) == 9

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("note 3x", [3]),
            ("NOTE", [8, 7, 6, 5, 4, 3, 2, 1, 0]),
            ("bosse 5.04", [4]),
            ("5,04", [4]),
            ("@bosse", [8, 7, 6, 5, 4, 3, 2, 1, 0]),
            ("received", [7, 5, 3, 1]),
            ("2026-03-11 5.08", [8]),
            ("nothing like it", []),
        ],
    )
    def test_by_text(self, astrid: Customer, history: list[Payment], text: str, expected: list[int]) -> None:
        assert self.ids(astrid, text=text) == expected

    def test_a_text_search_pages_and_says_where_it_stopped(
        self, astrid: Customer, history: list[Payment], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = payments_for(astrid.party_id, filters=Filters(text="note"), limit=4)
        rest = payments_for(astrid.party_id, filters=Filters(text="note"), limit=50, cursor=page.next_cursor)
        assert (len(page.rows), len(rest.rows), rest.searched_to) == (4, 5, None)
        monkeypatch.setattr(selectors, "SEARCH_WINDOW", 3)
        monkeypatch.setattr(selectors, "SEARCH_BATCH", 3)
        stopped = payments_for(astrid.party_id, filters=Filters(text="0x"))
        assert (stopped.rows, stopped.searched_to) == ([], history[6].created_at)
        assert stopped.next_cursor


@pytest.mark.django_db
class TestRecents:
    def test_each_payee_once_the_latest_first(
        self, customer: Callable[..., Customer], astrid: Customer, bo: Customer, now: datetime
    ) -> None:
        customer("liwei")
        for number, payee in enumerate(("@bosse", "@liwei", "@bosse")):
            astrid.send(payee, eur(1_00), now=now + timedelta(minutes=number))
        assert [(recent.name, recent.detail, recent.value) for recent in recent_payees(astrid.party_id)] == [
            ("Bosse E.", "@bosse", "@bosse"),
            ("Liwei E.", "@liwei", "@liwei"),
        ]


@pytest.mark.django_db
class TestVisibility:
    def test_a_payee_learns_nothing_of_what_is_not_sent(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        waiting = astrid.send("@bosse", eur(50_00), now=now).payment
        assert payment_get(astrid.party_id, waiting.id).approval_id == waiting.approval_id
        for _ in range(2):
            assert payments_for(bo.party_id).rows == []
            with pytest.raises(NotFound):
                payment_get(bo.party_id, waiting.id)
            assert payments_by_id(bo.party_id, [waiting.id]) == {}
            assert payments_latest(bo.party_id, limit=5) == []
            if waiting.state == State.REQUIRES_APPROVAL:
                waiting = transfer_cancel(by=astrid.person, payment_id=waiting.id, now=now).payment

    def test_a_stranger_sees_nothing(self, customer: Callable[..., Customer], history: list[Payment]) -> None:
        stranger = customer("stranger")
        with pytest.raises(NotFound):
            payment_get(stranger.party_id, history[0].id)
        assert payments_by_id(stranger.party_id, [history[0].id]) == {}

    def test_both_sides_see_a_reversal(self, astrid: Customer, bo: Customer, officer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(5_00), now=now).payment
        transfer_reverse(by=officer, payment_id=payment.id, reason="mistake", idempotency_key="r", now=now + timedelta(hours=1))
        hers, his = payments_for(astrid.party_id).rows, payments_for(bo.party_id).rows
        assert [(row.payment.kind, row.payment.state, row.amount.amount) for row in hers] == [
            ("reversal", "posted", 5_00),
            ("transfer", "reversed", -5_00),
        ]
        assert [(row.label, row.amount.amount) for row in his] == [("Payment taken back", -5_00), ("Received", 5_00)]
        # Why staff did it is theirs to know.
        assert {str(step.reason) for step in payment_get(astrid.party_id, payment.id).steps} == {""}

    def test_the_timeline_is_in_order(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        payment = astrid.send("@bosse", eur(50_00), now=now).payment
        transfer_cancel(by=astrid.person, payment_id=payment.id, now=now + timedelta(minutes=1))
        view = payment_get(astrid.party_id, payment.id)
        assert [(step.state, str(step.reason)) for step in view.steps] == [("requires_approval", ""), ("cancelled", "It was cancelled.")]


@pytest.mark.django_db
class TestClosing:
    def test_an_account_may_close_when_nothing_is_under_way(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        assert closing_reasons(astrid.party_id) == []
        payment = astrid.send("@bosse", eur(5_00), now=now).payment
        Payment.objects.filter(id=payment.id).update(state="held")
        assert len(closing_reasons(astrid.party_id)) == len(closing_reasons(bo.party_id)) == 1
