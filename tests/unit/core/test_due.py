from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from core import clock, due, wake
from core.db import scope_current
from core.models import DueWork
from tests.unit.core.threads import together

KIND = "tests.work"
SECOND = timedelta(seconds=1)


class Worker:
    """A worker that remembers what it did and does as it is told."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.act: Callable[[DueWork], datetime | None] = lambda work: None

    def __call__(self, work: DueWork) -> datetime | None:
        self.done.append(work.run_key)
        return self.act(work)


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    found = Worker()
    monkeypatch.setattr(due, "_workers", {KIND: found})
    monkeypatch.setattr(wake, "_send", lambda task: None)
    return found


def schedule(run_key: str = "one", *, after: timedelta = timedelta(), **data: Any) -> DueWork:
    return due.schedule(KIND, run_key=run_key, due_at=clock.now() + after, **data)


def fail(work: DueWork) -> datetime | None:
    raise ValueError("asa@example.test")


def move(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Move the hub's time and the real one: leases run on the real one."""
    now, real = clock.now() + by, clock.real() + by
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(clock, "real", lambda: real)


class TestSchedule:
    def test_keeps_data_in_clear_and_the_secret_encrypted(self, db: None) -> None:
        party = uuid4()
        work = schedule(party_id=str(party), n=1, secret="dear Åsa")
        with connection.cursor() as cursor:
            cursor.execute("SELECT data::text, secret FROM core_due_work")
            data, secret = cursor.fetchone()
        assert str(party) in data
        assert b"dear" not in bytes(secret)
        assert DueWork.objects.get(id=work.id).secret == "dear Åsa"

    def test_the_same_key_again_changes_nothing(self, db: None) -> None:
        first = schedule(n=1)
        second = schedule(after=timedelta(days=3), n=2)
        assert (second.id, second.data, second.due_at) == (first.id, {"n": 1}, first.due_at)
        assert schedule("two").id != first.id

    def test_the_same_key_of_done_work_does_not_run_again(self, db: None, worker: Worker) -> None:
        schedule()
        due.sweep()
        schedule()
        assert due.sweep() == 0
        assert worker.done == ["one"]

    def test_goes_away_with_its_transaction(self, fresh_db: str, worker: Worker) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            schedule()
            raise ZeroDivisionError
        assert due.sweep() == 0

    def test_wakes_the_sweep_after_the_commit_when_it_is_due(self, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
        woken: list[str] = []
        monkeypatch.setattr(wake, "_send", woken.append)
        schedule("later", after=SECOND * 60)
        assert woken == []
        with transaction.atomic():
            schedule("now")
            assert woken == []
        assert woken == ["core.due_sweep"]

    def test_from_many_threads_makes_one_row(self, fresh_db: str) -> None:
        assert len({work.id for work in together(4, schedule)}) == 1


class TestSweep:
    def test_does_what_is_due_in_order_and_once(self, db: None, worker: Worker) -> None:
        schedule("late", after=-SECOND)
        schedule("later", after=-SECOND * 2)
        schedule("to come", after=timedelta(hours=1))
        assert due.sweep() == 2
        assert due.sweep() == 0
        assert worker.done == ["later", "late"]
        assert DueWork.objects.get(run_key="late").state == DueWork.State.DONE

    def test_forgets_the_secret_when_done(self, db: None) -> None:
        work = schedule(secret="text")
        due.sweep()
        assert DueWork.objects.get(id=work.id).secret == ""

    def test_calls_the_worker_outside_any_transaction_as_the_system(self, fresh_db: str, worker: Worker) -> None:
        seen: list[object] = []

        def look(work: DueWork) -> datetime | None:
            seen.extend([connection.in_atomic_block, scope_current(), work.secret, work.data])
            return None

        worker.act = look
        schedule(secret="text", n=1)
        due.sweep()
        assert seen == [False, "system", "text", {"n": 1}]

    def test_runs_again_when_the_worker_says_so(self, db: None, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        again_at = clock.now() + timedelta(hours=1)
        worker.act = lambda work: again_at if len(worker.done) == 1 else None
        schedule(secret="kept")
        assert due.sweep() == 1
        row = DueWork.objects.get()
        assert (row.state, row.due_at, row.attempts, row.lease_until, row.secret) == ("waiting", again_at, 0, None, "kept")
        assert due.sweep() == 0
        move(monkeypatch, timedelta(hours=2))
        assert due.sweep() == 1
        assert DueWork.objects.get().state == "done"

    def test_tries_again_after_a_failure(self, db: None, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        worker.act = fail
        schedule(secret="kept")
        assert due.sweep() == 1
        row = DueWork.objects.get()
        assert (row.state, row.attempts, row.error, row.lease_until, row.secret) == ("waiting", 1, "ValueError", None, "kept")
        assert row.due_at > clock.now()
        assert due.sweep() == 0
        worker.act = lambda work: None
        move(monkeypatch, SECOND * 5)
        assert due.sweep() == 1
        row.refresh_from_db()
        assert (row.state, row.error) == ("done", "")

    def test_survives_a_worker_that_breaks_its_transaction(self, fresh_db: str, worker: Worker) -> None:
        def breaking(work: DueWork) -> datetime | None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
            return None

        worker.act = breaking
        schedule()
        assert due.sweep() == 1
        assert DueWork.objects.get().error == "DataError"

    def test_gives_up_into_the_dead_letters_and_back(self, db: None, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(due, "backoff", lambda attempts: timedelta())
        worker.act = fail
        work = schedule(secret="kept")
        schedule("two", after=timedelta(hours=1))
        assert due.sweep() == due.ATTEMPTS_MAX
        assert due.sweep() == 0
        assert DueWork.objects.get(id=work.id).state == "dead"
        worker.act = lambda work: None
        assert due.replay(list(DueWork.objects.values_list("id", flat=True)), now=clock.now()) == 1
        assert due.sweep() == 1
        work.refresh_from_db()
        assert (work.state, work.error) == ("done", "")

    def test_a_leased_piece_is_left_alone_until_the_lease_runs_out(self, db: None, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        class Killed(BaseException):
            pass

        def die(work: DueWork) -> datetime | None:
            raise Killed

        worker.act = die
        schedule()
        with pytest.raises(Killed):
            due.sweep()
        worker.act = lambda work: None
        assert due.sweep() == 0
        move(monkeypatch, due.LEASE + SECOND)
        assert due.sweep() == 1
        assert worker.done == ["one", "one"]

    def test_work_that_always_kills_its_process_ends_in_the_dead_letters(
        self, db: None, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            pass

        def die(work: DueWork) -> datetime | None:
            raise Killed

        worker.act = die
        schedule()
        for _ in range(due.ATTEMPTS_MAX):
            with pytest.raises(Killed):
                due.sweep()
            DueWork.objects.update(lease_until=None)
        assert due.sweep() == 1
        assert len(worker.done) == due.ATTEMPTS_MAX
        row = DueWork.objects.get()
        assert (row.state, row.error) == ("dead", "Killed")

    def test_moving_the_clock_makes_work_due_but_ends_no_lease(self, db: None, worker: Worker) -> None:
        schedule("tomorrow", after=timedelta(days=1))
        leased = schedule("leased")
        DueWork.objects.filter(id=leased.id).update(lease_until=clock.real() + due.LEASE)
        assert due.sweep() == 0
        clock.offset_set(timedelta(days=2))
        assert due.sweep() == 1
        assert worker.done == ["tomorrow"]

    def test_who_lost_the_lease_cannot_finish_the_piece_of_another(self, db: None, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        """Slow, overtaken by a run that asked to be run again, overtaken by a third: the first must not mark it done."""
        schedule()
        slow = due._claim(None)
        assert slow is not None
        DueWork.objects.update(lease_until=None, attempts=0)  # the second came, ran and asked for another run
        third = due._claim(None)
        assert third is not None
        due._run(slow)
        row = DueWork.objects.get()
        assert (row.state, row.lease_until) == ("waiting", third.lease_until)
        due._run(third)
        assert DueWork.objects.get().state == "done"

    def test_leaves_kinds_alone_that_this_process_does_not_know(self, db: None) -> None:
        due.schedule("tests.other", run_key="x", due_at=clock.now())
        assert due.sweep() == 0
        assert DueWork.objects.get().attempts == 0

    def test_does_only_the_kinds_it_is_asked_for(self, db: None) -> None:
        schedule()
        assert due.sweep(kinds=["tests.other"]) == 0
        assert due.sweep(kinds=[KIND]) == 1

    def test_stops_at_its_limit(self, db: None) -> None:
        for n in range(3):
            schedule(str(n))
        assert due.sweep(limit=2) == 2
        assert due.sweep(limit=2) == 1

    def test_in_four_threads_does_each_once(self, fresh_db: str, worker: Worker) -> None:
        lock = threading.Lock()
        for n in range(40):
            schedule(str(n))

        def act(work: DueWork) -> datetime | None:
            with lock:
                return None

        worker.act = act
        assert sum(together(4, due.sweep)) == 40
        assert sorted(worker.done, key=int) == [str(n) for n in range(40)]
        assert not DueWork.objects.exclude(state="done").exists()


class TestBulk:
    """Kinds that are claimed by the batch and stand back behind the others."""

    @pytest.fixture(autouse=True)
    def bulk(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
        found = Worker()
        monkeypatch.setattr(due, "_workers", {KIND: worker, "tests.bulk": found})
        monkeypatch.setattr(due, "_bulk", {"tests.bulk"})
        return found

    def many(self, count: int) -> None:
        for n in range(count):
            due.schedule("tests.bulk", run_key=str(n), due_at=clock.now() - SECOND * (count - n))

    def test_is_done_in_order_and_once(self, db: None, bulk: Worker) -> None:
        self.many(due.BATCH + 5)
        assert due.sweep() == due.BATCH + 5
        assert bulk.done == [str(n) for n in range(due.BATCH + 5)]
        assert set(DueWork.objects.values_list("state", "attempts")) == {("done", 1)}

    def test_stops_at_the_limit_and_leases_no_more(self, db: None, bulk: Worker) -> None:
        self.many(7)
        assert due.sweep(limit=3) == 3
        assert DueWork.objects.filter(state="waiting", lease_until__isnull=True).count() == 4

    def test_lets_other_work_pass_between_batches(self, db: None, worker: Worker, bulk: Worker) -> None:
        self.many(due.BATCH * 2)
        order: list[str] = []

        def act(work: DueWork) -> None:
            order.append(work.kind)
            if len(order) == 1:
                schedule("urgent")

        worker.act = bulk.act = act
        due.sweep()
        assert order.index(KIND) == due.BATCH

    def test_a_killed_batch_is_free_after_its_short_lease_and_only_one_piece_was_tried(
        self, db: None, bulk: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            pass

        def die(work: DueWork) -> datetime | None:
            raise Killed

        self.many(4)
        bulk.act = die
        with pytest.raises(Killed):
            due.sweep()
        assert sorted(DueWork.objects.values_list("attempts", flat=True)) == [0, 0, 0, 1]
        bulk.act = lambda work: None
        assert due.sweep() == 0
        move(monkeypatch, due.BATCH_LEASE + SECOND)
        assert due.sweep() == 3
        move(monkeypatch, due.LEASE)
        assert due.sweep() == 1
        assert bulk.done == ["0", "1", "2", "3", "0"]

    def test_what_was_cancelled_moved_or_taken_over_meanwhile_is_left_alone(self, db: None, bulk: Worker) -> None:
        self.many(4)

        def act(work: DueWork) -> None:
            if work.run_key == "0":
                due.cancel("tests.bulk", run_key="1")
                due.reschedule("tests.bulk", run_key="2", due_at=clock.now() + SECOND * 60)
                DueWork.objects.filter(run_key="3").update(lease_until=clock.real() + due.LEASE)

        bulk.act = act
        due.sweep()
        assert bulk.done == ["0"]

    def test_in_four_threads_does_each_once(self, fresh_db: str, bulk: Worker) -> None:
        self.many(100)
        assert sum(together(4, due.sweep)) >= 100
        assert sorted(bulk.done, key=int) == [str(n) for n in range(100)]


class TestTogether:
    """Bulk kinds that know how to do many pieces at once."""

    @pytest.fixture(autouse=True)
    def single(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
        found = Worker()
        monkeypatch.setattr(due, "_workers", {KIND: worker, "tests.bulk": found})
        monkeypatch.setattr(due, "_bulk", {"tests.bulk"})
        return found

    def teach(self, monkeypatch: pytest.MonkeyPatch, function: due.BatchWorker) -> None:
        monkeypatch.setattr(due, "_batch_workers", {"tests.bulk": function})

    def many(self, count: int) -> None:
        for n in range(count):
            due.schedule("tests.bulk", run_key=str(n), due_at=clock.now() - SECOND * (count - n))

    def test_what_the_batch_did_is_done_and_what_it_left_is_done_alone(
        self, db: None, single: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[list[str]] = []

        def act(works: Sequence[DueWork]) -> set[UUID]:
            seen.append([work.run_key for work in works])
            return {work.id for work in works if int(work.run_key) % 2}

        self.teach(monkeypatch, act)
        self.many(6)
        assert due.sweep() == 6
        assert seen == [["0", "1", "2", "3", "4", "5"]]
        assert single.done == ["0", "2", "4"]
        assert set(DueWork.objects.values_list("state", "lease_until")) == {("done", None)}
        assert due.sweep() == 0

    def test_a_batch_that_fails_is_done_piece_by_piece(self, db: None, single: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(works: Sequence[DueWork]) -> set[UUID]:
            raise LookupError

        self.teach(monkeypatch, fail)
        self.many(3)
        due.sweep()
        assert single.done == ["0", "1", "2"]

    def test_a_batch_that_killed_its_process_is_not_tried_as_one_again(
        self, db: None, single: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            pass

        calls: list[int] = []

        def die(works: Sequence[DueWork]) -> set[UUID]:
            calls.append(len(works))
            raise Killed

        self.teach(monkeypatch, die)
        self.many(3)
        with pytest.raises(Killed):
            due.sweep()
        move(monkeypatch, due.BATCH_LEASE + SECOND)
        assert due.sweep() == 3
        assert (calls, single.done) == ([3], ["0", "1", "2"])

    def test_works_that_somebody_else_took_meanwhile_stay_theirs(self, db: None, single: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        def slow(works: Sequence[DueWork]) -> set[UUID]:
            DueWork.objects.filter(run_key="1").update(lease_until=clock.real() + due.LEASE * 2)
            return {work.id for work in works}

        self.teach(monkeypatch, slow)
        self.many(2)
        due.sweep()
        assert list(DueWork.objects.order_by("run_key").values_list("state", flat=True)) == ["done", "waiting"]
        assert single.done == []


class TestCancel:
    def test_takes_waiting_work_out(self, db: None, worker: Worker) -> None:
        schedule()
        assert due.cancel(KIND, run_key="one")
        assert not due.cancel(KIND, run_key="one")
        assert not due.cancel(KIND, run_key="never")
        assert due.sweep() == 0
        assert DueWork.objects.get().state == "cancelled"

    def test_while_it_runs_stays_cancelled(self, db: None, worker: Worker) -> None:
        def act(work: DueWork) -> datetime | None:
            due.cancel(KIND, run_key="one")
            return clock.now()

        worker.act = act
        schedule()
        assert due.sweep() == 1
        assert DueWork.objects.get().state == "cancelled"

    def test_does_not_touch_done_work(self, db: None) -> None:
        schedule()
        due.sweep()
        assert not due.cancel(KIND, run_key="one")


class TestReschedule:
    def test_moves_waiting_and_dead_work(self, db: None, worker: Worker) -> None:
        schedule(after=timedelta(days=1))
        assert due.reschedule(KIND, run_key="one", due_at=clock.now())
        assert due.sweep() == 1
        assert not due.reschedule(KIND, run_key="one", due_at=clock.now())
        DueWork.objects.update(state="dead", attempts=12, error="ValueError")
        assert due.reschedule(KIND, run_key="one", due_at=clock.now())
        assert due.sweep() == 1
        assert DueWork.objects.get().state == "done"

    def test_while_it_runs_makes_it_run_again(self, db: None, worker: Worker) -> None:
        def act(work: DueWork) -> datetime | None:
            if len(worker.done) == 1:
                due.reschedule(KIND, run_key="one", due_at=clock.now())
            return None

        worker.act = act
        schedule()
        assert due.sweep() == 2
        assert DueWork.objects.get().state == "done"

    def test_revives_what_was_cancelled_only_when_asked(self, db: None, worker: Worker) -> None:
        schedule()
        due.cancel(KIND, run_key="one")
        assert not due.reschedule(KIND, run_key="one", due_at=clock.now())
        assert due.reschedule(KIND, run_key="one", due_at=clock.now(), revive=True)
        assert due.sweep() == 1
