"""A database of the bench's own, made and migrated by the owner's role, dropped afterwards."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import psycopg2.extensions

ROOT = Path(__file__).resolve().parent.parent


def named(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + "/" + name


def connect(*, owner: bool = False) -> psycopg2.extensions.connection:
    found = psycopg2.connect(os.environ["DATABASE_OWNER_URL" if owner else "DATABASE_URL"])
    found.autocommit = True
    return found


@contextlib.contextmanager
def own() -> Iterator[None]:
    """Within, DATABASE_URL and DATABASE_OWNER_URL name the new database, for this process and those it starts."""
    before = {key: os.environ[key] for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    name = f"hub_bench_{os.getpid()}"
    # Servers for tests do not wait for the disk at a commit; figures are for a server that does.
    os.environ["PGOPTIONS"] = "-c synchronous_commit=on"
    administer(f"CREATE DATABASE {name}")
    try:
        os.environ.update({key: named(url, name) for key, url in before.items()})
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
        yield
    finally:
        os.environ.update(before)
        for owner in (False, True):
            # Each role may end its own sessions only.
            administer(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND usename = current_user", owner=owner
            )
        administer(f"DROP DATABASE IF EXISTS {name}")


def administer(statement: str, *, owner: bool = True) -> None:
    with contextlib.closing(connect(owner=owner)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def server() -> str:
    """What the figures were measured on."""
    with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')")
        version, fsync, commit = cursor.fetchone()
    return f"PostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}, {os.cpu_count()} cores"
