"""Celery's entry points of the spine: ticks and wake-ups that look into the database for what to do."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from core import due, events, housekeeping, rates, wake

SWEEP = 100


@shared_task(name="core.events_relay")
def events_relay(**_: Any) -> None:
    events.relay()


@shared_task(name="core.due_sweep")
def due_sweep(*, queue: str = due.DEFAULT_QUEUE, **_: Any) -> None:
    # More may be due than one sweep does: go on without waiting for the next tick, and let others have their turn first.
    if due.sweep(limit=SWEEP, queue=queue) >= SWEEP:
        wake.due("" if queue == due.DEFAULT_QUEUE else queue)


@shared_task(name="core.rates_refresh")
def rates_refresh(**_: Any) -> None:
    rates.refresh()


@shared_task(name="core.housekeeping")
def housekeeping_run(**_: Any) -> None:
    housekeeping.run()


BY_NAME = {task.name: task for task in (events_relay, due_sweep, rates_refresh, housekeeping_run)}
