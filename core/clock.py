"""
The time, in one place. Services never call it: they are given `now` by whoever calls them.

In development the one row of `core_clock` moves the time for every process (clock_set); production ignores the row. Within
`moved` the time stands still for one thread of this process alone, so that a stop in the middle leaves no clock behind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.utils import Error

# A moved clock is seen by every process within this time.
_CACHE_SECONDS = 0.1
_cache = threading.local()
_moved: ContextVar[datetime | None] = ContextVar("hub_clock_moved", default=None)


def real() -> datetime:
    return datetime.now(UTC)


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return _moved.get() or real() + offset()


def today(zone: str) -> date:
    """The date in a named zone ("Europe/Stockholm")."""
    return now().astimezone(ZoneInfo(zone)).date()


@contextmanager
def moved(to: datetime) -> Iterator[None]:
    """
    Let the time be `to` for whatever runs inside, here and nowhere else: the demo's history is lived through with it.

    :raises RuntimeError: in production.
    """
    if settings.PRODUCTION:
        raise RuntimeError("the clock can only be moved in development")
    token = _moved.set(to.astimezone(UTC))
    try:
        yield
    finally:
        _moved.reset(token)


def is_moved() -> bool:
    """Whether this thread lives at another moment than the rest of the hub."""
    return _moved.get() is not None


def outside(moment: datetime) -> datetime:
    """The moment as everybody else's clock has it: for deadlines that are told to somebody who was not moved along."""
    at = _moved.get()
    return moment if at is None else moment + (real() + offset() - at)


def offset() -> timedelta:
    if settings.PRODUCTION:
        return timedelta()
    read_at = getattr(_cache, "read_at", None)
    if read_at is None or time.monotonic() - read_at > _CACHE_SECONDS:
        _cache.value = _offset_read()
        _cache.read_at = time.monotonic()
    value: timedelta = _cache.value
    return value


def _offset_read() -> timedelta:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT offset_microseconds FROM core_clock WHERE id = 1")
            row = cursor.fetchone()
    except Error:
        # Inside a broken transaction, without a connection or before the first migration: the last known offset is the best answer.
        last: timedelta = getattr(_cache, "value", timedelta())
        return last
    return timedelta(microseconds=row[0]) if row else timedelta()


def offset_set(value: timedelta) -> None:
    """
    Move the time for every process, the sandbox included.

    :raises RuntimeError: in production.
    """
    if settings.PRODUCTION:
        raise RuntimeError("the clock can only be moved in development")
    from core.models import Clock

    Clock.objects.update_or_create(id=1, defaults={"offset_microseconds": value // timedelta(microseconds=1)})
    _cache.read_at = None
