"""
Who is asking, told to the database, and what the application's database role may do.

`scope` wraps every request, task and command. The setting lives on the connection (`SET LOCAL` outside a transaction
does nothing); a connection without a scope sees nothing of anybody's once row policies read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID

from django.db import connection
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

SYSTEM: Final = "system"
_current: ContextVar[UUID | str | None] = ContextVar("hub_scope", default=None)

# Filled by the apps at import, applied after every migration by core.grants.
APPEND_ONLY: set[str] = set()
READ_ONLY: set[str] = set()


def append_only(table: str) -> str:
    """The application role may read and add rows of this table, never change or remove one."""
    APPEND_ONLY.add(table)
    return table


def read_only(table: str) -> str:
    """The application role may only read this table; it is written through functions of the owner."""
    READ_ONLY.add(table)
    return table


def scope_current() -> UUID | str | None:
    return _current.get()


@contextmanager
def scope(who: UUID | str | None) -> Iterator[None]:
    """
    Everything inside is asked by `who`: a party's id, SYSTEM, or None for an anonymous visitor.
    """
    if isinstance(who, str) and who != SYSTEM:
        raise ValueError("a scope is a party's UUID, SYSTEM or None")
    token = _current.set(who)
    try:
        _tell(who)
        yield
    finally:
        _current.reset(token)
        _tell(_current.get(), quiet=True)


def _tell(who: UUID | str | None, *, quiet: bool = False) -> None:
    if quiet and _needs_no_reset():
        return
    try:
        # As Django's own cursors do: a connection that the server dropped is replaced, and its errors are Django's.
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('hub.party', %s, false)", ["" if who is None else str(who)])
    except Exception:
        if not quiet:
            raise
        # Better no connection than one that remembers somebody else.
        connection.close()


def _needs_no_reset() -> bool:
    """A new connection starts with no scope; a transaction that will be rolled back falls back to what it had."""
    raw = connection.connection
    return raw is None or bool(raw.closed) or connection.needs_rollback or raw.info.transaction_status == TRANSACTION_STATUS_INERROR
