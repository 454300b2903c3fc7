"""
Work for a later time: rows claimed with SKIP LOCKED under a lease. Never a Celery ETA, which brokers deliver twice.

A worker is called outside any transaction, may use the network between its own transactions, and must be safe to run
twice: the lease of a killed process runs out and somebody else starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from core import clock
from core.db import SYSTEM, scope
from core.events import backoff
from core.models import DueWork

log = structlog.get_logger(__name__)
Worker = Callable[[DueWork], datetime | None]
BatchWorker = Callable[[Sequence[DueWork]], Collection[UUID]]

# Longer than the calls of one piece of work may take (two, 11 s each), short enough that all is settled a minute after a kill.
LEASE = timedelta(seconds=40)
ATTEMPTS_MAX = 12
BATCH = 50
# For pieces of a batch, waiting for their turn or done together: what a killed process leaves of it is free again after this.
BATCH_LEASE = timedelta(seconds=20)
_workers: dict[str, Worker] = {}
_bulk: set[str] = set()
_batch_workers: dict[str, BatchWorker] = {}
# Kinds that only the worker of a named Celery queue does; all others are the default worker's.
_queues: dict[str, str] = {}
DEFAULT_QUEUE = "default"


def worker(kind: str, *, bulk: bool = False, queue: str = DEFAULT_QUEUE) -> Callable[[Worker], Worker]:
    """
    Name the function that does work of this kind. It returns None when done or the moment to run again; an exception
    means "try again later" and, after ATTEMPTS_MAX tries, the dead letters.

    `bulk` is for kinds that come due by the thousand and never use the network: they are claimed by the batch, and stand
    back behind everything else, so that nobody waits for a sign-in code until all bills are paid.
    `queue` names the only worker that may do it, for work that needs what that process alone keeps in memory.
    """

    def register(function: Worker) -> Worker:
        _workers[kind] = function
        if queue != DEFAULT_QUEUE:
            _queues[kind] = queue
        if bulk:
            _bulk.add(kind)
        return function

    return register


def batch_worker(kind: str) -> Callable[[BatchWorker], BatchWorker]:
    """
    Name the function that does many pieces of a bulk kind at once, for speed. It is asked first, once, and returns the ids
    of those it has done; what it leaves, or all when it raises, goes to the kind's worker piece by piece.
    """

    def register(function: BatchWorker) -> BatchWorker:
        _batch_workers[kind] = function
        return function

    return register


def kinds() -> list[str]:
    """The kinds of work that this process knows how to do."""
    return sorted(_workers)


def schedule(kind: str, *, run_key: str, due_at: datetime, secret: str = "", **data: str | int | UUID | None) -> DueWork:
    """
    Put work in line, in the caller's transaction. The same (kind, run_key) again changes nothing and returns the row.

    `data` carries ids and codes; `secret` is a text that is stored encrypted.
    """
    _put([_work(kind, run_key, due_at, data, secret)])
    return DueWork.objects.get(kind=kind, run_key=run_key)


def schedule_all(kind: str, works: Sequence[tuple[str, datetime, Mapping[str, str | int | UUID | None]]]) -> None:
    """The same for many: the run key, the moment and the data of each."""
    _put([_work(kind, run_key, due_at, data) for run_key, due_at, data in works])


def _work(kind: str, run_key: str, due_at: datetime, data: Mapping[str, str | int | UUID | None], secret: str = "") -> DueWork:
    plain = {key: str(value) if isinstance(value, UUID) else value for key, value in data.items()}
    return DueWork(kind=kind, run_key=run_key, due_at=due_at, data=plain, secret=secret, created_at=clock.now())


def _put(works: Sequence[DueWork]) -> None:
    DueWork.objects.bulk_create(works, ignore_conflicts=True)
    for kind in {work.kind for work in works if work.due_at <= work.created_at}:
        _wake(kind)


def _wake(kind: str) -> None:
    from core import wake

    queue = queue_of(kind)
    transaction.on_commit(wake.due if queue == DEFAULT_QUEUE else lambda: wake.due(queue), robust=True)


def cancel(kind: str, *, run_key: str) -> bool:
    """True if it was still waiting. Work that is being done right now finishes."""
    return bool(DueWork.objects.filter(kind=kind, run_key=run_key, state=DueWork.State.WAITING).update(state=DueWork.State.CANCELLED))


def reschedule(kind: str, *, run_key: str, due_at: datetime, revive: bool = False) -> bool:
    """Move waiting or dead work to another moment, with `revive` also what was cancelled or done; True if there was some."""
    movable = list(DueWork.State) if revive else [DueWork.State.WAITING, DueWork.State.DEAD]
    changed = DueWork.objects.filter(kind=kind, run_key=run_key, state__in=movable).update(
        state=DueWork.State.WAITING, due_at=due_at, attempts=0, error="", lease_until=None, done_at=None
    )
    if changed and due_at <= clock.now():
        _wake(kind)
    return bool(changed)


def queue_of(kind: str) -> str:
    return _queues.get(kind, DEFAULT_QUEUE)


def sweep(*, limit: int = 100, kinds: list[str] | None = None, queue: str = DEFAULT_QUEUE) -> int:
    """
    Do what is due of the queue's kinds, or of `kinds`; returns how many pieces were tried. Safe to run in many processes at
    once.
    """
    wanted = kinds if kinds is not None else [kind for kind in _workers if queue_of(kind) == queue]
    single, bulk = [kind for kind in wanted if kind not in _bulk], [kind for kind in wanted if kind in _bulk]
    with scope(SYSTEM):
        tried = 0
        while tried < limit:
            work = _claim(single)
            if work is not None:
                _run(work)
                tried += 1
                continue
            batch = _claim_batch(bulk, min(BATCH, limit - tried))
            if not batch:
                break
            for work in _run_together(batch):
                if _begin(work):
                    _run(work)
            tried += len(batch)
        return tried


def _due(kinds: list[str]) -> QuerySet[DueWork]:
    waiting = DueWork.objects.select_for_update(skip_locked=True).filter(state=DueWork.State.WAITING, due_at__lte=clock.now())
    return waiting.filter(kind__in=kinds).exclude(lease_until__gt=clock.real()).order_by("due_at", "id")


def _claim_batch(only: list[str], size: int) -> list[DueWork]:
    """Lease several pieces at once. A try is counted when a piece begins: what killed its process was that one alone."""
    if not only:
        return []
    with transaction.atomic():
        works = list(_due(only)[:size])
        lease = clock.real() + BATCH_LEASE
        DueWork.objects.filter(id__in=[work.id for work in works]).update(lease_until=lease)
    for work in works:
        work.lease_until = lease
    return works


def _run_together(batch: list[DueWork]) -> list[DueWork]:
    """Let the batch workers do what they can; returns what is left to be done piece by piece."""
    left = {work.id: work for work in batch}
    for kind in {work.kind for work in batch} & _batch_workers.keys():
        # A batch that killed its process is not tried as one again.
        works = [work for work in batch if work.kind == kind and not work.attempts]
        if not works or not _begin_all(works, BATCH_LEASE):
            continue
        try:
            done = _batch_workers[kind](works)
        except Exception as error:
            log.warning("due_batch_failed", kind=kind, many=len(works), exc_info=error)
            continue
        _mine(works).filter(id__in=done).update(**_done())
        left = {id: work for id, work in left.items() if id not in done}
    return list(left.values())


def _begin_all(works: list[DueWork], lease: timedelta) -> bool:
    until = clock.real() + lease
    if _mine(works).update(lease_until=until, attempts=F("attempts") + 1) != len(works):
        return False
    for work in works:
        work.lease_until, work.attempts = until, work.attempts + 1
    return True


def _mine(works: Sequence[DueWork]) -> QuerySet[DueWork]:
    """
    The lease is the fence: whoever lost it to somebody else (too slow, or rescheduled meanwhile) changes nothing. Works that
    were leased together have one lease.
    """
    return DueWork.objects.filter(id__in=[work.id for work in works], lease_until=works[0].lease_until, state=DueWork.State.WAITING)


def _done() -> dict[str, Any]:
    return {"state": DueWork.State.DONE, "done_at": clock.now(), "error": "", "lease_until": None, "secret": b""}


def _begin(work: DueWork) -> bool:
    """The turn of a piece of a batch: True if it is still ours, with a whole lease from now on."""
    return _begin_all([work], LEASE)


def _claim(only: list[str] | None) -> DueWork | None:
    """Lease one piece. Leases and attempts run on the real clock, so that moving the hub's time revives nothing."""
    with transaction.atomic():
        work = _due(only if only is not None else list(_workers)).first()
        if work is not None:
            work.lease_until = clock.real() + LEASE
            work.attempts += 1
            work.save(update_fields=["lease_until", "attempts"])
        return work


def _run(work: DueWork) -> None:
    mine = _mine([work])
    if work.attempts > ATTEMPTS_MAX:
        # No try came to an end of its own: this work kills its process, and would do so for ever.
        mine.update(state=DueWork.State.DEAD, error="Killed", lease_until=None)
        return
    try:
        again_at = _workers[work.kind](work)
    except Exception as error:
        log.warning("due_work_failed", kind=work.kind, run_key=work.run_key, attempts=work.attempts, exc_info=error)
        dead = work.attempts >= ATTEMPTS_MAX
        mine.update(
            state=DueWork.State.DEAD if dead else DueWork.State.WAITING,
            error=type(error).__name__,
            due_at=clock.now() + backoff(work.attempts),
            lease_until=None,
        )
        return
    if again_at is not None:
        mine.update(due_at=again_at, attempts=0, error="", lease_until=None)
    else:
        mine.update(**_done())


def replay(work_ids: list[UUID], *, now: datetime) -> int:
    """Put dead work back in line; returns how many pieces."""
    return DueWork.objects.filter(id__in=work_ids, state=DueWork.State.DEAD).update(
        state=DueWork.State.WAITING, attempts=0, due_at=now, error="", lease_until=None
    )
