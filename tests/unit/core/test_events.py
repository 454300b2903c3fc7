from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from core import clock, events, wake
from core.models import Delivery, Event, Rate
from tests.unit.core.threads import together

NAME = "tests.thing.happened"


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, events.Handler]]:
    """No handlers but the test's own, and a record of wake-ups instead of Celery."""
    handlers: dict[str, dict[str, events.Handler]] = {}
    monkeypatch.setattr(events, "_handlers", handlers)
    monkeypatch.setattr(wake, "_send", lambda task: None)
    return handlers


def emit(name: str = NAME, **data: Any) -> Event:
    with transaction.atomic():
        return events.emit(name, **data)


def mark(event: Event, label: str = "done") -> None:
    """A handler's effect that can be counted: one more rate row."""
    Rate.objects.create(currency=label[:3].upper(), on_date=clock.now().date() + timedelta(days=Rate.objects.count()), rate=1)


def first(event: Event) -> None:
    mark(event, "first")


def second(event: Event) -> None:
    mark(event, "second")


def crashing(event: Event) -> None:
    mark(event, "crash")
    raise ValueError("asa@example.test")


def states() -> dict[str, str]:
    return {row.handler.rpartition(".")[2]: row.state for row in Delivery.objects.all()}


def effects() -> int:
    return Rate.objects.count()


def wait_over(monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.real() + timedelta(days=1)
    monkeypatch.setattr(clock, "real", lambda: later)


class TestEmit:
    def test_is_refused_outside_a_transaction(self, fresh_db: str) -> None:
        with pytest.raises(RuntimeError, match="transaction"):
            events.emit(NAME)
        assert not Event.objects.exists()

    def test_writes_ids_and_codes(self, db: None) -> None:
        party, other = uuid4(), uuid4()
        event = events.emit(NAME, party_id=party, other=other, amount=5, code="x", nothing=None)
        event.refresh_from_db()
        assert (event.name, event.party_id) == (NAME, party)
        assert event.data == {"other": str(other), "amount": 5, "code": "x", "nothing": None}

    def test_goes_away_with_its_transaction(self, fresh_db: str) -> None:
        events.subscribe(NAME, first)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            events.emit(NAME)
            raise ZeroDivisionError
        assert events.relay() == 0
        assert not Event.objects.exists()

    def test_wakes_the_relay_after_the_commit_where_somebody_listens(self, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
        woken: list[str] = []
        monkeypatch.setattr(wake, "_send", woken.append)
        emit()
        assert woken == []
        events.subscribe(NAME, first)
        with transaction.atomic():
            events.emit(NAME)
            assert woken == []
        assert woken == ["core.events_relay"]

    def test_survives_a_wake_up_that_fails(self, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(task: str) -> None:
            raise ConnectionError

        monkeypatch.setattr(wake, "_send", refuse)
        events.subscribe(NAME, first)
        emit()
        assert events.relay() == 1


class TestRelay:
    def test_hands_the_event_to_every_handler_once(self, db: None) -> None:
        seen: list[Event] = []

        def look(event: Event) -> None:
            seen.append(event)

        for handler in (first, second, look):
            events.subscribe(NAME, handler)
        party = uuid4()
        event = events.emit(NAME, party_id=party, code="x")
        assert events.relay() == 3
        assert events.relay() == 0
        assert effects() == 2
        assert [(one.id, one.party_id, one.data) for one in seen] == [(event.id, party, {"code": "x"})]
        assert set(states().values()) == {"done"}

    def test_knows_a_handler_wired_twice_as_one(self, db: None) -> None:
        events.subscribe(NAME, first)
        events.subscribe(NAME, first)
        emit()
        assert events.relay() == 1

    def test_leaves_other_events_alone(self, db: None) -> None:
        events.subscribe(NAME, first)
        emit("tests.other.happened")
        assert events.relay() == 0
        assert Event.objects.get().fanned_out

    def test_keeps_a_crashing_handler_from_the_others_and_undoes_its_effect(self, db: None) -> None:
        for handler in (crashing, first):
            events.subscribe(NAME, handler)
        emit()
        assert events.relay() == 2
        assert states() == {"crashing": "waiting", "first": "done"}
        assert effects() == 1
        delivery = Delivery.objects.get(state="waiting")
        assert (delivery.attempts, delivery.error) == (1, "ValueError")  # never the message: it may quote a person
        assert delivery.next_at > clock.now()

    def test_tries_again_after_a_while_and_succeeds_once(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        broken = [True]

        def sometimes(event: Event) -> None:
            mark(event)
            if broken[0]:
                raise ValueError

        events.subscribe(NAME, sometimes)
        emit()
        assert events.relay() == 1
        assert events.relay() == 0  # not yet
        broken[0] = False
        wait_over(monkeypatch)
        assert events.relay() == 1
        assert events.relay() == 0
        assert effects() == 1
        assert Delivery.objects.get().error == ""

    def test_does_not_lose_the_delivery_of_a_killed_process(self, fresh_db: str) -> None:
        """A kill ends the connection: the transaction of handler and mark never commits."""

        class Killed(BaseException):
            pass

        alive = [False]

        def dying(event: Event) -> None:
            mark(event)
            if not alive[0]:
                raise Killed

        events.subscribe(NAME, dying)
        emit()
        with pytest.raises(Killed):
            events.relay()
        assert effects() == 0
        alive[0] = True
        assert events.relay() == 1
        assert effects() == 1

    def test_is_not_blocked_by_a_deferred_constraint(self, fresh_db: str) -> None:
        """Such a handler seems to succeed and fails at the commit, with the delivery's own mark."""

        def dangling(event: Event) -> None:
            Delivery.objects.create(event_id=uuid4(), handler="none", next_at=clock.now() + timedelta(days=9))

        for handler in (dangling, first):
            events.subscribe(NAME, handler)
        emit()
        assert events.relay() == 2
        assert states() == {"dangling": "waiting", "first": "done"}
        assert Delivery.objects.get(state="waiting").error == "IntegrityError"

    def test_survives_a_handler_that_breaks_the_transaction(self, db: None) -> None:
        def breaking(event: Event) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

        for handler in (breaking, first):
            events.subscribe(NAME, handler)
        emit()
        assert events.relay() == 2
        assert states() == {"breaking": "waiting", "first": "done"}

    def test_delivers_what_a_handler_emits(self, db: None) -> None:
        def chain(event: Event) -> None:
            events.emit("tests.next.happened")

        events.subscribe(NAME, chain)
        events.subscribe("tests.next.happened", first)
        emit()
        assert events.relay() == 1
        assert events.relay() == 1
        assert effects() == 1

    def test_gives_up_into_the_dead_letters(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "backoff", lambda attempts: timedelta())
        events.subscribe(NAME, crashing)
        emit()
        assert events.relay() == events.ATTEMPTS_MAX
        assert states() == {"crashing": "dead"}
        wait_over(monkeypatch)
        assert events.relay() == 0

    def test_keeps_a_delivery_whose_handler_is_no_longer_wired(self, db: None, wired: dict[str, dict[str, events.Handler]]) -> None:
        events.subscribe(NAME, crashing)
        emit()
        events.relay()
        wired[NAME].clear()
        Delivery.objects.update(next_at=clock.real())
        events.relay()
        assert Delivery.objects.get().error == "LookupError"

    def test_stops_at_its_limit(self, db: None) -> None:
        events.subscribe(NAME, first)
        for _ in range(3):
            emit()
        assert events.relay(limit=2) == 2
        assert events.relay(limit=2) == 1

    def test_in_four_threads_delivers_each_once(self, fresh_db: str) -> None:
        count, lock = {"n": 0}, threading.Lock()

        def counting(event: Event) -> None:
            Rate.objects.create(currency="ONE", on_date=clock.now().date() + timedelta(days=event.data["n"]), rate=1)
            with lock:
                count["n"] += 1

        events.subscribe(NAME, counting)
        for n in range(40):
            emit(n=n)

        def work() -> int:
            tried = 0
            while Event.objects.filter(fanned_out=False).exists() or Delivery.objects.filter(state="waiting").exists():
                tried += events.relay(limit=7)
            return tried

        assert sum(together(4, work)) == 40
        assert count["n"] == 40
        assert effects() == 40
        assert not Delivery.objects.exclude(state="done", attempts=1).exists()


class TestReplay:
    def test_puts_dead_deliveries_back_and_no_others(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "backoff", lambda attempts: timedelta())
        for handler in (crashing, first):
            events.subscribe(NAME, handler)
        emit()
        events.relay()
        everything = list(Delivery.objects.values_list("id", flat=True))
        assert events.replay(everything, now=clock.now()) == 1
        row = Delivery.objects.get(state="waiting")
        assert (row.attempts, row.error) == (0, "")
        assert events.replay(everything, now=clock.now()) == 0
        assert effects() == 1


class TestBackoff:
    def test_doubles_up_to_an_hour(self) -> None:
        assert [events.backoff(n).total_seconds() for n in (1, 2, 3, 11, 12, 1000)] == [2, 4, 8, 2048, 3600, 3600]
