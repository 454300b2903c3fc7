"""
Databases for tests: one migrated template made by the owner, copies of it for whoever needs real commits.

Tests run as the application's role, which may not truncate: a used copy is dropped, never flushed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.db import connections
from psycopg2 import sql

ROOT = Path(__file__).resolve().parent.parent
APPS = ("core", "accounts", "compliance", "wallets", "payments", "openbanking", "budgeting", "products", "engagement", "hub")


def _owner() -> contextlib.AbstractContextManager[psycopg2.extensions.cursor]:
    return _connected(settings.DATABASE_OWNER_URL)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _schema_hash() -> str:
    digest = hashlib.sha256((urlsplit(settings.DATABASE_URL).username or "").encode())
    for app in APPS:
        for path in sorted([*(ROOT / app).glob("migrations/*.py"), *(ROOT / app).glob("sql/*.sql")]):
            digest.update(path.name.encode() + path.read_bytes())
    digest.update(
        (ROOT / "core/grants.py").read_bytes()
        + b"".join((ROOT / app / "apps.py").read_bytes() for app in APPS if (ROOT / app / "apps.py").exists())
    )
    return digest.hexdigest()[:12]


@functools.cache
def template() -> str:
    """The name of the migrated template, made on first use; parallel test processes wait for one another."""
    name = f"hubtest_{_schema_hash()}"
    with _owner() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('hub test template'))")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            building = f"{name}_building"
            drop(building)
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
            _migrate(building)
            cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(name)))
    return name


def _migrate(name: str) -> None:
    from django.core.management import call_command

    with pointed_at(name):
        call_command("migrate", verbosity=0, interactive=False)


@contextlib.contextmanager
def pointed_at(name: str) -> Iterator[None]:
    """Django's connection goes to this database; every connection is closed on the way in and out."""
    before = connections["default"].settings_dict["NAME"]
    connections.close_all()
    connections["default"].settings_dict["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        connections["default"].settings_dict["NAME"] = before


def copy() -> str:
    """A fresh copy of the template; returns its name."""
    source = template()
    name = f"hubtest_{os.environ.get('HUB_TEST_DB', 'main')}_{os.getpid()}_{secrets.token_hex(4)}"
    with _owner() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('hub test copy'))")
        cursor.execute("SHOW fsync")
        # File by file instead of page by page through the log is a third of the work, unless each file then waits for the disk.
        how = "FILE_COPY" if cursor.fetchone() == ("off",) else "WAL_LOG"
        names = {"name": sql.Identifier(name), "source": sql.Identifier(source)}
        cursor.execute(sql.SQL(f"CREATE DATABASE {{name}} TEMPLATE {{source}} STRATEGY {how}").format(**names))
    return name


def drop(name: str) -> None:
    """Remove a database; connections that a thread left open are ended by the role they belong to."""
    for url in (settings.DATABASE_URL, settings.DATABASE_OWNER_URL):
        with _connected(url) as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user", [name])
    with _owner() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def url_for(name: str, *, owner: bool = False) -> str:
    """The address of a database for another process, as the application's role or the owner's."""
    base = settings.DATABASE_OWNER_URL if owner else settings.DATABASE_URL
    return base.rsplit("/", 1)[0] + "/" + name
