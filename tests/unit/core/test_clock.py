from __future__ import annotations

import threading
from datetime import UTC, date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from core import clock


class TestNow:
    def test_is_the_real_time_in_utc_until_it_is_moved(self, db: None) -> None:
        assert clock.now().tzinfo is UTC
        assert abs(clock.now() - clock.real()) < timedelta(seconds=1)

    def test_moves_with_the_offset(self, db: None) -> None:
        clock.offset_set(timedelta(days=400, microseconds=7))
        assert clock.offset() == timedelta(days=400, microseconds=7)
        assert timedelta(days=399) < clock.now() - clock.real() < timedelta(days=401)
        clock.offset_set(timedelta())
        assert clock.offset() == timedelta()

    def test_reads_the_row_at_most_every_tenth_of_a_second(self, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(1):
            for _ in range(50):
                clock.now()

    def test_sees_another_process_within_a_moment(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        clock.now()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO core_clock VALUES (1, 5000000) ON CONFLICT (id) DO UPDATE SET offset_microseconds = 5000000")
        monkeypatch.setattr(clock, "_CACHE_SECONDS", -1)
        assert clock.offset() == timedelta(seconds=5)

    def test_keeps_the_last_known_offset_in_a_broken_transaction(self, db: None) -> None:
        clock.offset_set(timedelta(hours=1))
        assert clock.offset() == timedelta(hours=1)
        with pytest.raises(IntegrityError), transaction.atomic():
            with connection.cursor() as cursor:
                with pytest.raises(IntegrityError):
                    cursor.execute("INSERT INTO core_clock VALUES (2, 0)")
            clock._cache.read_at = None
            assert clock.offset() == timedelta(hours=1)
            raise IntegrityError

    def test_cannot_be_moved_in_production(self, db: None, settings: Settings) -> None:
        clock.offset_set(timedelta(hours=1))
        settings.PRODUCTION = True
        assert clock.offset() == timedelta()
        with pytest.raises(RuntimeError):
            clock.offset_set(timedelta(days=1))


class TestToday:
    def test_is_the_date_in_the_named_zone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from datetime import datetime

        monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 10, 23, 30, tzinfo=UTC))
        assert clock.today("Europe/Stockholm") == date(2026, 3, 11)
        assert clock.today("America/New_York") == date(2026, 3, 10)


class TestMoved:
    def test_stands_still_here_and_nowhere_else(self, db: None) -> None:
        there = clock.real() - timedelta(days=300)
        seen = []
        with clock.moved(there):
            thread = threading.Thread(target=lambda: seen.append(clock.is_moved()))
            thread.start()
            thread.join()
            assert clock.now() == there
            assert clock.is_moved()
        assert seen == [False]
        assert not clock.is_moved()

    def test_a_stop_in_the_middle_leaves_nothing_behind(self, db: None) -> None:
        with pytest.raises(KeyError), clock.moved(clock.real() - timedelta(days=3)):
            raise KeyError
        assert abs(clock.now() - clock.real()) < timedelta(seconds=1)

    def test_deadlines_for_others_are_on_their_clock(self, db: None) -> None:
        there = clock.real() - timedelta(days=300)
        with clock.moved(there):
            assert abs(clock.outside(there + timedelta(hours=1)) - clock.real() - timedelta(hours=1)) < timedelta(seconds=5)

    def test_never_in_production(self, settings: Settings) -> None:
        settings.PRODUCTION = True
        with pytest.raises(RuntimeError), clock.moved(clock.real()):
            pass
