from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from payments import presenting
from payments.models import Payment
from tests.unit.payments.conftest import Customer, eur, fund


@pytest.fixture
def history(astrid: Customer, bo: Customer, now: datetime) -> list[Payment]:
    fund(bo.wallet, 20_00, now)
    return [
        sender.send(payee, eur(1_00 + number), note=f"note {number}x", now=now + timedelta(hours=number)).payment
        for number, (sender, payee) in enumerate([(astrid, "@bosse"), (bo, "@astrid")] * 4)
    ]


@pytest.mark.django_db
class TestActivityPage:
    def test_pages_meet(self, astrid: Customer, history: list[Payment]) -> None:
        seen, cursor = [], ""
        while True:
            page = presenting.activity_page(astrid.party_id, cursor=cursor, limit=3)
            seen += [view.payment for view in page.rows]
            cursor = page.next_cursor
            if not cursor:
                break
        assert seen == history[::-1]

    def test_search_pages_meet_too(self, astrid: Customer, history: list[Payment]) -> None:
        first = presenting.activity_page(astrid.party_id, limit=3, q="note")
        rest = presenting.activity_page(astrid.party_id, limit=30, q="note", cursor=first.next_cursor)
        assert [view.payment for view in first.rows + rest.rows] == history[::-1]
        assert presenting.activity_page(astrid.party_id, limit=3, q="2X").rows[0].payment == history[2]

    def test_a_search_that_stops_early_says_so(self, astrid: Customer, history: list[Payment], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(presenting, "SEARCH_ROWS", 4)
        monkeypatch.setattr(presenting, "_CHUNK", 2)
        assert not presenting.activity_page(astrid.party_id, limit=3, q="0x").searched_all
        assert presenting.activity_page(astrid.party_id, limit=30, q="nothing", direction="in").searched_all

    def test_a_cursor_of_somebody_else_starts_from_the_top(self, astrid: Customer, history: list[Payment]) -> None:
        for cursor in ("nonsense", str(astrid.party_id)):
            assert presenting.activity_page(astrid.party_id, cursor=cursor, limit=1).rows[0].payment == history[-1]

    def test_a_payee_does_not_see_what_waits_for_approval(self, astrid: Customer, bo: Customer, now: datetime) -> None:
        astrid.send("@bosse", eur(50_00), now=now)
        assert presenting.latest(bo.party_id, limit=5) == []
        assert presenting.latest(astrid.party_id, limit=5)[0].needs_approval
