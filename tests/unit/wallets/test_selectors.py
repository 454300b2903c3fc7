from __future__ import annotations

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Party
from core.money import Money
from tests.unit.wallets.conftest import Book
from wallets import ledger, selectors, services
from wallets.errors import WalletNotFound


@pytest.fixture
def wallet(somebody, book):
    return services.wallet_open(party_id=somebody.id, currency="EUR", now=book.now)


class TestWalletGet:
    def test_somebody_elses_wallet_is_not_found(self, wallet):
        other = Party.objects.create(name="Bo")
        with pytest.raises(WalletNotFound):
            selectors.wallet_get(other.id, wallet.id)
        assert selectors.wallet_get(wallet.party_id, wallet.id) == wallet


class TestBalances:
    def test_posted_held_and_available_in_one_query(self, wallet, somebody, book, django_assert_num_queries):
        yen = services.wallet_open(party_id=somebody.id, currency="JPY", now=book.now)
        book.post(book.world(), wallet.account, 100)
        ledger.hold(debit=wallet.account, credit=book.world(), amount=Money(30, "EUR"), key="h", now=book.now)
        with django_assert_num_queries(1):
            found = selectors.balances_of([wallet, yen])
        assert (found[wallet.id].posted, found[wallet.id].held) == (Money(100, "EUR"), Money(30, "EUR"))
        assert found[wallet.id].available == Money(70, "EUR")
        assert found[yen.id].posted == Money(0, "JPY")
        assert selectors.balances_of([]) == {}

    def test_at_moments_in_one_query(self, wallet, book, django_assert_num_queries):
        for hour, amount in enumerate([100, 20, 3]):
            Book(book.now + timedelta(hours=hour), book.keys).post(book.world(), wallet.account, amount)
        moments = [book.now + timedelta(minutes=minutes) for minutes in (-1, 0, 59, 60, 61, 119, 120, 999)]
        with django_assert_num_queries(1):
            found = selectors.balances_at([wallet], moments)
        assert [money.amount for money in found[wallet.id]] == [0, 100, 100, 120, 120, 120, 123, 123]
        assert selectors.balance_at(wallet, moments[3]) == Money(120, "EUR")


class TestEntries:
    def test_pages_by_cursor_newest_first(self, wallet, book, django_assert_num_queries):
        for amount in range(1, 8):
            book.post(book.world(), wallet.account, amount)
        with django_assert_num_queries(1):
            first = selectors.entries_for(wallet, limit=3)
        second = selectors.entries_for(wallet, before_seq=first[-1].seq, limit=3)
        third = selectors.entries_for(wallet, before_seq=second[-1].seq, limit=3)
        assert [row.seq for row in first + second + third] == [7, 6, 5, 4, 3, 2, 1]
        assert (first[0].amount, first[0].balance, first[0].kind) == (Money(7, "EUR"), Money(28, "EUR"), "posted")

    def test_carry_meta_and_effective_time(self, wallet, book):
        back = book.now - timedelta(days=2)
        ledger.post(
            debit=book.world(),
            credit=wallet.account,
            amount=Money(5, "EUR"),
            key="k",
            now=book.now,
            effective_at=back,
            meta={"payment": "p"},
        )
        (row,) = selectors.entries_for(wallet)
        assert (row.meta, row.effective_at, row.created_at) == ({"payment": "p"}, back, book.now)


class TestTotal:
    def test_adds_all_currencies_with_the_rate_date_and_names_the_missing(self, wallet, somebody, book):
        for currency, amount in (("USD", 1000), ("KPW", 500)):
            other = services.wallet_open(party_id=somebody.id, currency=currency, now=book.now)
            book.post(book.world(currency), other.account, amount, currency)
        book.post(book.world(), wallet.account, 100)
        found = selectors.total_for(somebody.id, "EUR", on=date(2024, 1, 5))
        assert 100 + 800 < found.money.amount < 100 + 1000
        assert found.rate_date == date(2024, 1, 5)
        assert found.missing == ["KPW"]

    def test_of_one_currency_needs_no_rate(self, wallet, somebody, book):
        book.post(book.world(), wallet.account, 100)
        assert selectors.total_for(somebody.id, "EUR") == selectors.Total(Money(100, "EUR"), None, [])


class TestLedgerVerifyCommand:
    def test_prints_one_document(self, wallet, book):
        book.post(book.world(), wallet.account, 100)
        out = StringIO()
        call_command("ledger_verify", "--json", stdout=out)
        assert json.loads(out.getvalue()) == {
            "ok": True,
            "accounts": 2,
            "transfers": 1,
            "entries": 2,
            "sums": {"EUR": 0},
            "seals": 0,
            "problems": [],
        }

    def test_ends_with_1_when_something_is_wrong(self, wallet, monkeypatch):
        monkeypatch.setattr("wallets.verify.CHECKS", ("SELECT 'entry_gap', '1/2'",))
        out, err = StringIO(), StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("ledger_verify", "--json", stdout=out, stderr=err)
        assert ended.value.code == 1
        assert json.loads(out.getvalue())["problems"] == [{"kind": "entry_gap", "where": "1/2"}]
