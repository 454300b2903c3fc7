"""The daily proof that people's money is there, and the alarm when it is not."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from accounts.models import Party, Person
from core.db import SYSTEM, scope
from core.models import AuditEntry, Event
from core.money import Money
from tests.unit.wallets.conftest import Book
from wallets import ledger, services
from wallets.models import Wallet
from wallets.pots.services import pot_open, pot_put
from wallets.safeguarding import selectors
from wallets.safeguarding.models import SafeguardingPlace, SafeguardingReport
from wallets.safeguarding.services import own_money_move, places_record, places_unavailable, report_make, today_of

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def moved(debit: int, credit: int, minor: int, key: str, currency: str = "EUR") -> None:
    ledger.post(debit=debit, credit=credit, amount=Money(minor, currency), key=key, now=NOW)


def system(code: str, currency: str = "EUR") -> int:
    return ledger.system_account(code, currency, now=NOW)


@pytest.fixture
def wallet(somebody: Party, book: Book) -> Wallet:
    wallet = services.wallet_open(party_id=somebody.id, currency="EUR", now=NOW)
    moved(system("provider:stripe"), wallet.account, 100_00, "in")
    moved(system("provider:stripe"), system("suspense:somebody"), 5_00, "waits")
    moved(wallet.account, system("provider:bank"), 30_00, "out")
    pot = pot_open(party_id=somebody.id, wallet_id=wallet.id, name="Rent", idempotency_key="p", now=NOW)
    pot_put(party_id=somebody.id, pot_id=pot.id, amount=Money(20_00, "EUR"), idempotency_key="p", now=NOW)
    return wallet


def alarms() -> list[tuple[str, str, int]]:
    found = Event.objects.filter(name="wallets.safeguarding.different").order_by("id")
    return [(event.data["currency"], event.data["provider"], event.data["difference"]) for event in found]


class TestReport:
    def test_adds_up_what_people_are_owed_and_where_it_lies(self, wallet: Wallet) -> None:
        report = report_make(now=NOW)
        line = report.lines.get()
        assert (line.currency, line.client_money, line.people, line.suspense, line.difference) == ("EUR", 75_00, 70_00, 5_00, 0)
        assert report.agrees
        assert sorted((place.provider, place.ledger, place.state) for place in report.places.all()) == [
            ("bank", -30_00, "waiting"),
            ("stripe", 105_00, "waiting"),
        ]
        assert alarms() == []

    def test_is_made_once_a_day_of_the_operators(self, wallet: Wallet, settings) -> None:
        first = report_make(now=NOW)
        moved(system("provider:stripe"), wallet.account, 1, "more")
        assert report_make(now=NOW).id == first.id
        settings.HUB_TIME_ZONE = "Pacific/Kiritimati"
        assert today_of(datetime(2026, 3, 11, 12, tzinfo=UTC)).day == 12
        assert report_make(now=NOW).id != first.id
        assert Event.objects.filter(name="wallets.safeguarding.reported").count() == 2

    def test_sounds_the_alarm_while_own_money_lies_among_peoples(self, wallet: Wallet) -> None:
        moved(wallet.account, system("fees"), 2_00, "fee")
        assert report_make(now=NOW).lines.get().difference == 2_00
        assert alarms() == [("EUR", "", 2_00)]
        own_money_move(provider="stripe", amount=Money(2_00, "EUR"), by=None, idempotency_key="sweep", now=NOW)
        assert report_make(now=LATER).agrees
        assert ledger_sum("own:stripe") == -2_00

    def test_sounds_the_alarm_when_peoples_money_is_missing_until_it_is_made_good(self, wallet: Wallet) -> None:
        moved(system("losses"), system("provider:stripe"), 9_00, "chargeback")
        assert report_make(now=NOW).lines.get().difference == -9_00
        own_money_move(provider="stripe", amount=Money(9_00, "EUR"), inward=True, by=None, idempotency_key="top-up", now=NOW)
        assert report_make(now=LATER).agrees

    def test_looks_at_each_currency_alone(self, wallet: Wallet, somebody: Party) -> None:
        kronor = services.wallet_open(party_id=somebody.id, currency="SEK", now=NOW)
        moved(system("provider:stripe", "SEK"), kronor.account, 50_00, "sek", "SEK")
        moved(kronor.account, system("fees", "SEK"), 1_00, "fee", "SEK")
        report = report_make(now=NOW)
        assert {line.currency: line.difference for line in report.lines.all()} == {"EUR": 0, "SEK": 1_00}

    def test_of_an_empty_hub_agrees(self, db: None) -> None:
        assert report_make(now=NOW).agrees

    def test_cannot_be_changed(self, wallet: Wallet) -> None:
        report = report_make(now=NOW)
        for sql in ("UPDATE wallets_safeguarding_report SET agrees = false", "DELETE FROM wallets_safeguarding_line"):
            with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql)
        assert SafeguardingReport.objects.get().id == report.id


def ledger_sum(code: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry WHERE account = %s", [system(code)])
        return int(cursor.fetchone()[0])


class TestOwnMoney:
    def test_moves_once_for_a_key_and_leaves_a_trace(self, wallet: Wallet) -> None:
        clerk = Person.objects.create_user("clerk@example.com", "a long pass phrase", is_staff=True)
        for _ in range(2):
            own_money_move(provider="stripe", amount=Money(2_00, "EUR"), by=clerk, idempotency_key="k", now=NOW)
        assert ledger_sum("own:stripe") == -2_00
        assert AuditEntry.objects.filter(action="wallets.own_money.moved", actor_id=clerk.pk).count() == 1

    def test_is_moved_on_the_command_line(self, wallet: Wallet) -> None:
        asked = ["own_money_move", "--provider", "stripe", "--currency", "eur", "--key", "bank-7", "--json"]
        for replayed in (False, True):
            out = io.StringIO()
            call_command(*asked, "--amount", "200", stdout=out)
            assert json.loads(out.getvalue())["replayed"] is replayed
        assert ledger_sum("own:stripe") == -2_00
        for wrong in ("0", "300"):
            with pytest.raises(SystemExit) as ended:
                call_command(*asked, "--amount", wrong, stdout=io.StringIO())
            assert ended.value.code == 2


class TestProviders:
    def test_are_taken_at_their_word_and_compared(self, wallet: Wallet) -> None:
        report = report_make(now=NOW)
        places_record(report_id=report.id, provider="stripe", balances=[Money(103_50, "EUR"), Money(7_00, "SEK")], now=NOW)
        places_record(report_id=report.id, provider="bank", balances=[Money(-30_00, "EUR")], now=NOW)
        found = {(place.provider, place.currency): (place.reported, place.state) for place in report.places.all()}
        assert found == {
            ("stripe", "EUR"): (103_50, "differs"),
            ("stripe", "SEK"): (7_00, "differs"),
            ("bank", "EUR"): (-30_00, "agrees"),
        }
        assert alarms() == [("EUR", "stripe", -1_50), ("SEK", "stripe", 7_00)]
        assert selectors.differences(report)["EUR", "stripe"] == -1_50

    def test_a_balance_that_the_provider_does_not_know_is_nothing(self, wallet: Wallet) -> None:
        report = report_make(now=NOW)
        places_record(report_id=report.id, provider="bank", balances=[], now=NOW)
        assert alarms() == [("EUR", "bank", 30_00)]

    def test_are_told_once(self, wallet: Wallet) -> None:
        report = report_make(now=NOW)
        places_record(report_id=report.id, provider="bank", balances=[Money(1, "EUR")], now=NOW)
        assert places_record(report_id=report.id, provider="bank", balances=[Money(2, "EUR")], now=NOW) == []
        assert len(alarms()) == 1

    def test_that_do_not_answer_are_named_and_may_answer_later(self, wallet: Wallet) -> None:
        report = report_make(now=NOW)
        places_unavailable(report_id=report.id, provider="bank", code="bank_unreachable", now=NOW)
        place = report.places.get(provider="bank")
        assert (place.state, place.failure_code, alarms()) == ("unavailable", "bank_unreachable", [])
        places_record(report_id=report.id, provider="bank", balances=[Money(-30_00, "EUR")], now=LATER)
        assert SafeguardingPlace.objects.get(id=place.id).state == "agrees"


class TestWhoIsTold:
    def test_everybody_in_operations_and_nobody_else(self, wallet: Wallet) -> None:
        from django.contrib.auth.models import Group

        from core import events
        from engagement.notifications.models import Notice
        from engagement.notifications.words import views_of

        clerk = Person.objects.create_user("clerk@example.com", "a long pass phrase", is_staff=True)
        clerk.groups.add(Group.objects.get(name="operations"))
        Person.objects.create_user("other@example.com", "a long pass phrase", is_staff=True)
        moved(wallet.account, system("fees"), 2_00, "fee")
        report_make(now=NOW)
        with scope(SYSTEM):
            events.relay()
        (notice,) = Notice.objects.filter(kind="safeguarding_different")
        assert notice.person == clerk
        (view,) = views_of(clerk, [notice])
        assert view.words.href == "/admin/wallets/safeguardingreport/"

    def test_the_collector_of_figures(self, wallet: Wallet) -> None:
        from hub.metrics import _safeguarding

        moved(wallet.account, system("fees"), 2_00, "fee")
        report_make(now=NOW)
        assert 'hub_safeguarding_difference{currency="EUR",provider="all"} 200' in "\n".join(_safeguarding())


def test_the_command_ends_with_1_while_something_differs(wallet: Wallet) -> None:
    out = io.StringIO()
    call_command("safeguarding", "--json", stdout=out)
    assert json.loads(out.getvalue())["ok"] is True
    SafeguardingPlace.objects.filter(provider="bank").update(reported=0, state="differs")
    with pytest.raises(SystemExit) as ended:
        call_command("safeguarding", stdout=io.StringIO())
    assert ended.value.code == 1
