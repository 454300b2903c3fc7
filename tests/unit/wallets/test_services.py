from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import PartyClosed
from accounts.models import Party
from core.models import Event
from core.money import CurrencyUnknown, Money
from tests.unit.wallets.conftest import Book
from wallets import ledger, privacy, selectors, services
from wallets.errors import CeilingExceeded, WalletClosed, WalletNotEmpty
from wallets.ledger_models import LedgerAccount
from wallets.models import Wallet


def events(name):
    return list(Event.objects.filter(name=name).values_list("party_id", "data"))


class TestWalletOpen:
    @pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD", "sek"])
    def test_opens_in_any_currency_and_tells(self, somebody, now, currency):
        wallet = services.wallet_open(party_id=somebody.id, currency=currency, now=now, name="Rent")
        assert (wallet.currency, wallet.state, wallet.opened_at) == (currency.upper(), "open", now)
        assert Wallet.objects.get(id=wallet.id).name == "Rent"
        assert LedgerAccount.objects.get(id=wallet.account).currency == currency.upper()
        assert events("wallets.wallet.opened") == [(somebody.id, {"wallet_id": str(wallet.id), "currency": currency.upper()})]

    def test_twice_gives_the_same(self, somebody, now):
        first = services.wallet_open(party_id=somebody.id, currency="EUR", now=now)
        assert services.wallet_open(party_id=somebody.id, currency="EUR", now=now) == first
        assert len(events("wallets.wallet.opened")) == 1

    def test_the_database_keeps_one_open_wallet_per_currency(self, somebody, now):
        services.wallet_open(party_id=somebody.id, currency="EUR", now=now)
        account = ledger.account_open(currency="EUR", now=now)
        with pytest.raises(IntegrityError), transaction.atomic():
            Wallet.objects.create(party=somebody, currency="EUR", account=account, opened_at=now)

    def test_refuses_what_cannot_be(self, somebody, now):
        with pytest.raises(CurrencyUnknown):
            services.wallet_open(party_id=somebody.id, currency="XXX", now=now)
        with pytest.raises(PartyClosed):
            services.wallet_open(party_id=uuid4(), currency="EUR", now=now)
        Party.objects.filter(id=somebody.id).update(state="closed", closed_at=now)
        with pytest.raises(PartyClosed):
            services.wallet_open(party_id=somebody.id, currency="EUR", now=now)


class TestWalletClose:
    def test_closes_an_empty_wallet_and_a_new_one_can_follow(self, somebody, now):
        wallet = services.wallet_open(party_id=somebody.id, currency="EUR", now=now)
        services.wallet_close(wallet=wallet, now=now)
        assert (wallet.state, wallet.closed_at) == ("closed", now)
        assert events("wallets.wallet.closed") == [(somebody.id, {"wallet_id": str(wallet.id), "currency": "EUR"})]
        with pytest.raises(WalletClosed):
            services.wallet_close(wallet=wallet, now=now)
        assert services.wallet_open(party_id=somebody.id, currency="EUR", now=now).id != wallet.id
        assert [found.state for found in selectors.wallets_for(somebody.id, closed=True)] == ["closed", "open"]
        assert selectors.wallets_for(somebody.id).count() == 1

    def test_refuses_while_there_is_money_or_a_hold(self, somebody, book: Book):
        wallet = services.wallet_open(party_id=somebody.id, currency="EUR", now=book.now)
        book.post(book.world(), wallet.account, 10)
        with pytest.raises(WalletNotEmpty):
            services.wallet_close(wallet=wallet, now=book.now)
        assert Wallet.objects.get(id=wallet.id).state == "open"
        ledger.account_limit(wallet.account, floor=-10)
        book.post(wallet.account, book.world(), 10)
        ledger.hold(debit=wallet.account, credit=book.world(), amount=Money(5, "EUR"), key="h", now=book.now)
        with pytest.raises(WalletNotEmpty):
            services.wallet_close(wallet=wallet, now=book.now)


class TestPartyCeilingsSet:
    def test_sets_each_wallet_in_its_own_currency(self, somebody, book):
        euros = services.wallet_open(party_id=somebody.id, currency="EUR", now=book.now)
        kronor = services.wallet_open(party_id=somebody.id, currency="SEK", now=book.now)
        unquoted = services.wallet_open(party_id=somebody.id, currency="KPW", now=book.now)
        assert services.party_ceilings_set(party_id=somebody.id, ceiling=Money(500_00, "EUR")) == 2
        with pytest.raises(CeilingExceeded):
            book.post(book.world(), euros.account, 500_01)
        book.post(book.world(), euros.account, 500_00)
        ceilings = dict(LedgerAccount.objects.values_list("id", "ceiling"))
        assert 4000_00 < ceilings[kronor.account] < 8000_00
        assert ceilings[unquoted.account] == ledger.CEILING_NONE
        services.party_ceilings_set(party_id=somebody.id, ceiling=None)
        book.post(book.world(), euros.account, 1)


def test_a_party_gets_its_wallets_and_an_erased_one_loses_their_names(somebody, book):
    wallet = services.wallet_open(party_id=somebody.id, currency="EUR", now=book.now, name="Rent")
    book.post(book.world(), wallet.account, 10)
    (found,) = privacy.export(somebody.id)
    assert (found["name"], [entry["amount"] for entry in found["entries"]]) == ("Rent", [10])
    privacy.erase(somebody.id, book.now)
    assert Wallet.objects.get(id=wallet.id).name == ""
    assert selectors.balance_of(wallet).posted == Money(10, "EUR")
