"""
The time, in one place. Services never call it: they are given `now` by whoever calls them.

In development the one row of `core_clock` moves the time for every process (clock_set); production ignores the row.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.utils import Error

# A moved clock is seen by every process within this time.
_CACHE_SECONDS = 0.1
_cache = threading.local()


def real() -> datetime:
    return datetime.now(UTC)


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return real() + offset()


def today(zone: str) -> date:
    """The date in a named zone ("Europe/Stockholm")."""
    return now().astimezone(ZoneInfo(zone)).date()


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
