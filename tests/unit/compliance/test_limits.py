from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts.models import Party
from compliance.errors import LimitExceeded
from compliance.limits import balance_check, balance_limit, level_for, limits_for, reference, usage_lower, usage_raise
from compliance.models import Direction, Level, LimitRule, PartyLevel, Usage, Window
from core.money import Money
from core.rates import RateMissing


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def level(party: Party, number: int, since: datetime = datetime(2020, 1, 1, tzinfo=UTC)) -> None:
    PartyLevel.objects.create(party=party, level=number, active_from=since, reason="test")


def used(party: Party, window: str, starts_on: date, direction: str = "out") -> int:
    row = Usage.objects.filter(party=party, window=window, starts_on=starts_on, direction=direction).first()
    return row.amount_minor if row else 0


@pytest.mark.django_db
class TestUsageRaise:
    def test_counts_in_the_day_and_the_month(self, asa: Party, now: datetime) -> None:
        assert usage_raise(asa.id, eur(4_000), direction="out", now=now) == eur(4_000)
        usage_raise(asa.id, eur(1_000), direction="out", now=now)
        assert used(asa, "day", date(2026, 3, 11)) == 5_000
        assert used(asa, "month", date(2026, 3, 1)) == 5_000

    def test_one_payment_above_its_limit_is_refused_and_nothing_is_counted(self, asa: Party, now: datetime) -> None:
        with pytest.raises(LimitExceeded) as caught:
            usage_raise(asa.id, eur(15_001), direction="out", now=now)
        assert caught.value.extra == {"window": "payment", "direction": "out", "limit": 15_000, "left": 15_000, "currency": "EUR"}
        assert not Usage.objects.exists()

    def test_the_limit_itself_may_be_used_up(self, asa: Party, now: datetime) -> None:
        usage_raise(asa.id, eur(15_000), direction="out", now=now)
        with pytest.raises(LimitExceeded) as caught:
            usage_raise(asa.id, eur(1), direction="out", now=now)
        assert (caught.value.extra["window"], caught.value.extra["left"]) == ("day", 0)
        assert used(asa, "day", date(2026, 3, 11)) == 15_000

    def test_the_month_ends_what_single_days_allow(self, asa: Party, now: datetime) -> None:
        for day in range(3):
            usage_raise(asa.id, eur(15_000), direction="out", now=now + timedelta(days=day))
        with pytest.raises(LimitExceeded) as caught:
            usage_raise(asa.id, eur(5_001), direction="out", now=now + timedelta(days=3))
        assert (caught.value.extra["window"], caught.value.extra["left"]) == ("month", 5_000)
        usage_raise(asa.id, eur(5_000), direction="out", now=now + timedelta(days=3))

    def test_in_and_out_are_counted_apart(self, asa: Party, now: datetime) -> None:
        usage_raise(asa.id, eur(15_000), direction="out", now=now)
        usage_raise(asa.id, eur(15_000), direction="in", now=now)

    def test_parties_are_counted_apart(self, asa: Party, now: datetime) -> None:
        other = Party.objects.create(name="Other")
        usage_raise(asa.id, eur(15_000), direction="out", now=now)
        usage_raise(other.id, eur(15_000), direction="out", now=now)

    def test_a_better_level_allows_more(self, asa: Party, now: datetime) -> None:
        level(asa, 2)
        usage_raise(asa.id, eur(100_000), direction="out", now=now)

    def test_another_currency_is_converted_and_rounded_up(self, asa: Party, now: datetime) -> None:
        counted = usage_raise(asa.id, Money(100_00, "SEK"), direction="out", now=now)
        assert counted.currency == "EUR"
        assert 700 < counted.amount < 1_300
        assert reference(Money(1, "SEK")) == eur(1)

    def test_a_currency_without_a_rate_is_refused_by_name(self, asa: Party, now: datetime) -> None:
        with pytest.raises(RateMissing):
            usage_raise(asa.id, Money(1_000, "KWD"), direction="out", now=now)


@pytest.mark.django_db
class TestWindows:
    def test_the_day_begins_at_midnight_of_the_operator(self, asa: Party) -> None:
        # 23:30 in Stockholm on 31 March, then 00:30 on 1 April: half past ten in the evening in UTC both (summer time).
        usage_raise(asa.id, eur(15_000), direction="out", now=datetime(2026, 3, 31, 21, 30, tzinfo=UTC))
        usage_raise(asa.id, eur(15_000), direction="out", now=datetime(2026, 3, 31, 22, 30, tzinfo=UTC))
        assert used(asa, "day", date(2026, 4, 1)) == 15_000
        assert used(asa, "month", date(2026, 4, 1)) == 15_000
        assert used(asa, "month", date(2026, 3, 1)) == 15_000


@pytest.mark.django_db
class TestUsageLower:
    def test_gives_back_in_the_windows_of_the_original(self, asa: Party, now: datetime) -> None:
        counted = usage_raise(asa.id, eur(15_000), direction="out", now=now)
        tomorrow = now + timedelta(days=1)
        usage_raise(asa.id, eur(7_000), direction="out", now=tomorrow)
        usage_lower(asa.id, counted, direction="out", at=now)
        assert used(asa, "day", date(2026, 3, 11)) == 0
        assert used(asa, "day", date(2026, 3, 12)) == 7_000
        assert used(asa, "month", date(2026, 3, 1)) == 7_000

    def test_never_falls_below_nothing(self, asa: Party, now: datetime) -> None:
        usage_raise(asa.id, eur(100), direction="out", now=now)
        usage_lower(asa.id, eur(500), direction="out", at=now)
        assert used(asa, "day", date(2026, 3, 11)) == 0

    def test_takes_only_what_was_counted(self, asa: Party, now: datetime) -> None:
        with pytest.raises(ValueError, match="reference currency"):
            usage_lower(asa.id, Money(100, "SEK"), direction="out", at=now)


@pytest.mark.django_db
class TestBalance:
    def test_up_to_the_limit_and_no_further(self, asa: Party, now: datetime) -> None:
        balance_check(asa.id, eur(50_000), now)
        with pytest.raises(LimitExceeded) as caught:
            balance_check(asa.id, eur(50_001), now)
        assert caught.value.extra["window"] == "balance"

    def test_no_rule_is_no_limit(self, asa: Party, now: datetime) -> None:
        LimitRule.objects.filter(window="balance").delete()
        assert balance_limit(asa.id, now) is None
        balance_check(asa.id, eur(10**12), now)


@pytest.mark.django_db
class TestLimitsFor:
    def test_shows_every_limit_with_what_is_used_and_left(self, asa: Party, now: datetime) -> None:
        usage_raise(asa.id, eur(2_000), direction="out", now=now - timedelta(days=1))
        usage_raise(asa.id, eur(3_000), direction="out", now=now)
        lines = {(line.direction, line.window): line for line in limits_for(asa.id, now, balance=eur(1_234))}
        assert len(lines) == 7
        assert lines[Direction.OUT, Window.PAYMENT].left is None
        assert lines[Direction.OUT, Window.DAY].left == eur(12_000)
        assert lines[Direction.OUT, Window.MONTH].used == eur(5_000)
        assert lines[Direction.IN, Window.DAY].used == eur(0)
        assert lines[Direction.NONE, Window.BALANCE].left == eur(48_766)

    def test_costs_two_queries(self, asa: Party, now: datetime, django_assert_num_queries) -> None:
        with django_assert_num_queries(2):
            limits_for(asa.id, now)

    def test_a_party_nobody_rated_is_at_the_strictest_level(self, asa: Party, now: datetime) -> None:
        assert level_for(asa.id, now) is Level.EMAIL
        level(asa, 1, since=now + timedelta(days=1))
        assert level_for(asa.id, now) is Level.EMAIL
        assert level_for(asa.id, now + timedelta(days=1)) is Level.VERIFIED


class TestParallel:
    def test_counting_outside_a_transaction_is_a_fault(self, fresh_db: str, now: datetime) -> None:
        with pytest.raises(RuntimeError):
            usage_raise(Party.objects.create(name="Asa").id, eur(1), direction="out", now=now)

    def test_fifty_at_once_never_pass_the_limit(self, fresh_db: str, now: datetime) -> None:
        asa = Party.objects.create(name="Asa")
        done: list[bool] = []
        start = threading.Barrier(50)

        def pay() -> None:
            try:
                start.wait()
                with transaction.atomic():
                    usage_raise(asa.id, eur(1_000), direction="out", now=now)
                done.append(True)
            except LimitExceeded:
                done.append(False)
            finally:
                connection.close()

        threads = [threading.Thread(target=pay) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (done.count(True), done.count(False)) == (15, 35)
        assert used(asa, "day", date(2026, 3, 11)) == 15_000
