"""Pots: what they do to money, who may touch them, and what stays of them."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Party
from core.errors import HubError
from core.idempotency import IdempotencyConflict
from core.models import Event
from core.money import AmountNotPositive, CurrencyMismatch, Money
from tests.unit.wallets.conftest import Book
from wallets import ledger, privacy, selectors, services
from wallets.errors import InsufficientFunds, WalletClosed, WalletNotEmpty, WalletNotFound
from wallets.ledger_models import LedgerAccount, LedgerTransfer
from wallets.models import Wallet
from wallets.pots import selectors as pots
from wallets.pots.errors import PotClosed, PotGoalInvalid, PotNameInvalid, PotNotFound, PotsTooMany
from wallets.pots.models import Pot
from wallets.pots.services import pot_change, pot_close, pot_open, pot_put, pot_take
from wallets.verify import verify


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.fixture
def wallet(somebody: Party, book: Book) -> Wallet:
    wallet = services.wallet_open(party_id=somebody.id, currency="EUR", now=book.now)
    book.post(book.world(), wallet.account, 100_00)
    return wallet


def opened(wallet: Wallet, book: Book, name: str = "Holiday", **more) -> Pot:
    asked = {"idempotency_key": book.key(), "now": book.now, **more}
    return pot_open(party_id=wallet.party_id, wallet_id=wallet.id, name=name, **asked)


def put(pot: Pot, minor: int, book: Book, key: str = "") -> Pot:
    return pot_put(party_id=pot.party_id, pot_id=pot.id, amount=eur(minor), idempotency_key=key or book.key(), now=book.now)


def take(pot: Pot, minor: int, book: Book, key: str = "") -> Pot:
    return pot_take(party_id=pot.party_id, pot_id=pot.id, amount=eur(minor), idempotency_key=key or book.key(), now=book.now)


def state(wallet: Wallet) -> tuple[int, int, int]:
    """Available, in pots, total."""
    found = selectors.balance_of(wallet)
    return found.available.amount, found.pots.amount, found.total.amount


def emitted() -> list[str]:
    return list(Event.objects.filter(name__startswith="wallets.pot.").order_by("id").values_list("name", flat=True))


class TestMoney:
    def test_goes_in_and_out_and_the_total_stays(self, wallet, book):
        pot = opened(wallet, book)
        put(pot, 60_00, book)
        assert state(wallet) == (40_00, 60_00, 100_00)
        take(pot, 25_00, book)
        assert state(wallet) == (65_00, 35_00, 100_00)
        assert pots.view_of(pot).balance == eur(35_00)
        assert verify().ok

    def test_is_refused_beyond_what_is_there(self, wallet, book):
        pot = opened(wallet, book)
        ledger.hold(debit=wallet.account, credit=book.world(), amount=eur(50_00), key="h", now=book.now)
        with pytest.raises(InsufficientFunds):
            put(pot, 50_01, book)
        put(pot, 50_00, book)
        with pytest.raises(InsufficientFunds):
            take(pot, 50_01, book)
        with pytest.raises(AmountNotPositive):
            put(pot, 0, book)
        with pytest.raises(CurrencyMismatch):
            pot_put(party_id=pot.party_id, pot_id=pot.id, amount=Money(1, "SEK"), idempotency_key="k", now=book.now)
        assert state(wallet) == (0, 50_00, 100_00)

    def test_moves_once_however_often_it_is_asked(self, wallet, book):
        pot = opened(wallet, book)
        put(pot, 10_00, book, key="same")
        put(pot, 10_00, book, key="same")
        assert state(wallet)[1] == 10_00
        assert emitted() == ["wallets.pot.opened", "wallets.pot.put"]
        with pytest.raises(IdempotencyConflict):
            put(pot, 11_00, book, key="same")
        pot_close(party_id=pot.party_id, pot_id=pot.id, now=book.now)
        put(pot, 10_00, book, key="same")  # what was done is still the answer
        assert state(wallet) == (100_00, 0, 100_00)

    def test_comes_back_although_the_ceiling_was_lowered(self, wallet, book):
        pot = opened(wallet, book)
        put(pot, 90_00, book)
        services.party_ceilings_set(party_id=wallet.party_id, ceiling=eur(20_00))
        take(pot, 50_00, book)
        assert state(wallet) == (60_00, 40_00, 100_00)
        assert LedgerAccount.objects.get(id=wallet.account).ceiling == 20_00

    def test_counts_into_what_the_party_holds(self, wallet, book):
        put(opened(wallet, book), 60_00, book)
        assert selectors.held_by([wallet.party_id]) == {wallet.party_id: [eur(100_00)]}
        assert selectors.total_for(wallet.party_id, "EUR").money == eur(100_00)

    def test_in_pots_is_part_of_the_total_of_every_moment(self, wallet, book):
        later = Book(book.now + timedelta(days=1), book.keys)
        pot = opened(wallet, book)
        put(pot, 60_00, later)
        last = Book(book.now + timedelta(days=2), book.keys)
        pot_close(party_id=pot.party_id, pot_id=pot.id, now=last.now)
        moments = [book.now - timedelta(days=1), book.now, later.now, last.now]
        assert selectors.totals_at([wallet], moments)[wallet.id] == [eur(0), eur(100_00), eur(100_00), eur(100_00)]
        assert selectors.balance_at(wallet, later.now) == eur(40_00)

    def test_leaves_ids_and_codes_in_the_ledger_only(self, wallet, book):
        pot = put(opened(wallet, book, name="A secret"), 5_00, book)
        meta = LedgerTransfer.objects.latest("id").meta
        assert meta == {"pot": str(pot.id), "what": "put"}

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(moves=st.lists(st.tuples(st.integers(0, 2), st.integers(-80_00, 80_00).filter(bool)), max_size=12))
    def test_is_never_lost_nor_made(self, wallet, book, moves):
        three = [opened(wallet, book) for _ in range(3)]
        expected = [0, 0, 0]
        for index, minor in moves:
            try:
                (put if minor > 0 else take)(three[index], abs(minor), book)
                expected[index] += minor
            except InsufficientFunds:
                assert minor > 100_00 - sum(expected) or -minor > expected[index]
        assert [view.balance.amount for view in pots.views_of(three)] == expected
        assert state(wallet) == (100_00 - sum(expected), sum(expected), 100_00)
        for pot in three:
            pot_close(party_id=pot.party_id, pot_id=pot.id, now=book.now)
        assert state(wallet) == (100_00, 0, 100_00)


class TestOpening:
    def test_makes_one_pot_for_a_key(self, wallet, book):
        first = opened(wallet, book, idempotency_key="k")
        assert opened(wallet, book, name="Other", idempotency_key="k").id == first.id
        assert Pot.objects.count() == 1

    def test_keeps_the_name_encrypted(self, wallet, book, django_assert_num_queries):
        from django.db import connection

        opened(wallet, book, name="  A   secret ")
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM wallets_pot")
            assert b"secret" not in bytes(cursor.fetchone()[0])
        assert Pot.objects.get().name == "A secret"

    @pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\x00b", "a\u202eb"])
    def test_refuses_names_that_cannot_be(self, wallet, book, name):
        with pytest.raises(PotNameInvalid):
            opened(wallet, book, name=name)

    def test_refuses_goals_that_cannot_be(self, wallet, book):
        today = book.now.date()
        for more in (
            {"goal_on": today},
            {"goal": eur(1), "goal_on": today - timedelta(days=2)},
            {"goal": eur(1), "goal_on": date(9999, 1, 1)},
        ):
            with pytest.raises(PotGoalInvalid):
                opened(wallet, book, **more)
        with pytest.raises(AmountNotPositive):
            opened(wallet, book, goal=eur(0))
        with pytest.raises(CurrencyMismatch):
            opened(wallet, book, goal=Money(1, "SEK"))

    def test_refuses_a_wallet_that_is_closed_or_somebody_elses(self, wallet, book):
        with pytest.raises(WalletNotFound):
            pot_open(party_id=uuid4(), wallet_id=wallet.id, name="x", idempotency_key="k", now=book.now)
        book.post(wallet.account, book.world(), 100_00)
        services.wallet_close(wallet=wallet, now=book.now)
        with pytest.raises(WalletClosed):
            opened(wallet, book)

    def test_stops_at_the_most(self, wallet, book, monkeypatch):
        monkeypatch.setattr("wallets.pots.services.POTS_MAX", 2)
        opened(wallet, book)
        opened(wallet, book)
        with pytest.raises(PotsTooMany):
            opened(wallet, book)


class TestChanging:
    def test_gives_another_name_and_goal(self, wallet, book):
        pot = opened(wallet, book, goal=eur(80_00), goal_on=book.now.date())
        changed = pot_change(party_id=pot.party_id, pot_id=pot.id, name="Rent", goal=None, goal_on=None, now=book.now)
        assert (changed.name, changed.goal, changed.goal_on) == ("Rent", None, None)

    def test_keeps_a_day_that_has_passed(self, wallet, book):
        on = book.now.date() + timedelta(days=10)
        pot = opened(wallet, book, goal=eur(80_00), goal_on=on)
        later = book.now + timedelta(days=30)
        assert pot_change(party_id=pot.party_id, pot_id=pot.id, name="Rent", goal=eur(80_00), goal_on=on, now=later).goal_on == on


class TestClosing:
    def test_gives_the_money_back_and_can_be_repeated(self, wallet, book):
        pot = put(opened(wallet, book), 60_00, book)
        for _ in range(2):
            closed = pot_close(party_id=pot.party_id, pot_id=pot.id, now=book.now)
        assert (closed.state, closed.closed_at) == ("closed", book.now)
        assert state(wallet) == (100_00, 0, 100_00)
        assert emitted() == ["wallets.pot.opened", "wallets.pot.put", "wallets.pot.closed"]
        for move in (put, take):
            with pytest.raises(PotClosed):
                move(pot, 1, book)
        with pytest.raises(PotClosed):
            pot_change(party_id=pot.party_id, pot_id=pot.id, name="x", goal=None, goal_on=None, now=book.now)

    def test_of_a_wallet_asks_for_empty_pots_and_closes_them(self, wallet, book):
        pot = put(opened(wallet, book), 100_00, book)
        with pytest.raises(WalletNotEmpty):
            services.wallet_close(wallet=wallet, now=book.now)
        take(pot, 100_00, book)
        book.post(wallet.account, book.world(), 100_00)
        services.wallet_close(wallet=wallet, now=book.now)
        pot.refresh_from_db()
        assert pot.state == "closed"

    def test_of_an_account_is_told_of_money_in_pots(self, wallet, book):
        put(opened(wallet, book), 100_00, book)
        (reason,) = selectors.closing_reasons(wallet.party_id)
        assert "pot" in reason


class TestSomebodyElses:
    @pytest.mark.parametrize("move", [pot_put, pot_take])
    def test_money_is_not_found(self, wallet, book, move):
        pot = put(opened(wallet, book), 10_00, book)
        with pytest.raises(PotNotFound):
            move(party_id=uuid4(), pot_id=pot.id, amount=eur(1), idempotency_key="k", now=book.now)

    def test_pot_is_not_found(self, wallet, book):
        pot = opened(wallet, book)
        for call in (
            lambda: pots.pot_get(uuid4(), pot.id),
            lambda: pot_close(party_id=uuid4(), pot_id=pot.id, now=book.now),
            lambda: pot_change(party_id=uuid4(), pot_id=pot.id, name="x", goal=None, goal_on=None, now=book.now),
        ):
            with pytest.raises(PotNotFound):
                call()
        assert pots.pot_names(uuid4(), [pot.id]) == {}


class TestGoals:
    def test_say_what_is_missing_and_how_much_that_is_a_month(self, wallet, book):
        pot = put(opened(wallet, book, goal=eur(100_00), goal_on=date(2027, 3, 31)), 33_33, book)
        view = pots.view_of(pot)
        assert (view.left, view.share) == (eur(66_67), 33)
        assert view.a_month(date(2027, 1, 15)) == eur(22_23)
        assert view.a_month(date(2027, 3, 31)) == eur(66_67)
        assert view.a_month(date(2027, 4, 1)) is None

    def test_are_whole_only_when_they_are_reached(self, wallet, book):
        pot = put(opened(wallet, book, goal=eur(100_00)), 99_99, book)
        assert pots.view_of(pot).share == 99
        assert pots.view_of(put(pot, 1, book)).share == 100
        assert pots.view_of(pot).left == eur(0)


def test_a_list_of_pots_reads_their_balances_at_once(wallet, book, django_assert_num_queries):
    for _ in range(5):
        opened(wallet, book)
    with django_assert_num_queries(3):  # the pots, what is in them, the key of their names
        views = pots.views_of(pots.pots_for(wallet.id))
    assert [view.pot.name for view in views] == ["Holiday"] * 5


def test_a_party_gets_its_pots_and_an_erased_one_loses_their_names_and_goals(wallet, book):
    pot = put(opened(wallet, book, name="A secret", goal=eur(5_00)), 3_00, book)
    (found,) = privacy.export(wallet.party_id)
    (exported,) = found["pots"]
    assert (exported["name"], exported["goal"], [entry["amount"] for entry in exported["entries"]]) == ("A secret", 500, [300])
    privacy.erase(wallet.party_id, book.now)
    pot.refresh_from_db()
    assert (pot.name, pot.goal_minor) == ("", None)


def test_every_refusal_is_one_that_people_can_read():
    for error in (PotClosed, PotGoalInvalid, PotNameInvalid, PotNotFound, PotsTooMany):
        assert issubclass(error, HubError)
        assert str(error().message)
