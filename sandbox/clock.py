"""
The hub's time, read from the one row that `clock_set` writes.

Deliveries and settlements wait in real seconds (a moved clock must not strand them);
everything that a person or a protocol reads as a date comes from here.
"""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg2

logger = logging.getLogger(__name__)

CACHE_SECONDS = 0.2
# A database that is down is asked this seldom, so that no page waits for it.
RETRY_SECONDS = 2.0


class Clock:
    def __init__(self, database_url: str | None) -> None:
        self._database_url = database_url
        self._lock = threading.Lock()
        self._connection: psycopg2.extensions.connection | None = None
        # Kept while the database is away, so that time does not jump back when PostgreSQL restarts.
        self._offset = timedelta(0)
        self._fresh_until = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset_read()

    def timestamp(self) -> int:
        return int(self.now().timestamp())

    def _offset_read(self) -> timedelta:
        if self._database_url is None:
            return self._offset
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                self._refresh(self._database_url)
            return self._offset

    def _refresh(self, database_url: str) -> None:
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(database_url, connect_timeout=1, options="-c statement_timeout=1000")
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT offset_microseconds FROM core_clock WHERE id = 1")
                row = cursor.fetchone()
            self._offset = timedelta(microseconds=row[0] if row else 0)
            self._fresh_until = time.monotonic() + CACHE_SECONDS
        except psycopg2.Error as error:
            logger.info("clock row not readable: %s", type(error).__name__)
            self._close()
            self._fresh_until = time.monotonic() + RETRY_SECONDS

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
