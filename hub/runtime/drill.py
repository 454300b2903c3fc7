"""
`python -m hub.runtime restore-drill`: prove that the backup can be brought back, without touching the hub.

Dumps the hub's database (that of DATABASE_OWNER_URL, else the running embedded one) as a backup would, restores it into an
embedded PostgreSQL of its own, compares every table's rows with those of the same snapshot, and has `restore_check` look at
rights, keys and books. Everything it made is removed again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2

from hub.runtime import environment
from hub.runtime.binaries import postgres_versions
from hub.runtime.errors import RunError
from hub.runtime.run import say
from hub.runtime.state import PROJECT, State
from hub.runtime.testing import run_with_servers

SOURCE = "HUB_DRILL_SOURCE"


def drill(environ: Mapping[str, str]) -> int:
    """Start the server to restore into, and go on in there."""
    if environ.get(SOURCE):
        return _restore(environ)
    state = State.chosen(environ)
    source = environ.get("DATABASE_OWNER_URL", "").strip()
    keys: Mapping[str, str] = environ
    if not source:
        if not state.supervisor():
            raise RunError("There is nothing to drill with: start the hub, or set DATABASE_OWNER_URL and the keys of the hub.")
        keys = environment.hub_environment(state, environ, public_url=str(state.run_record().get("url")))
        source = keys["DATABASE_OWNER_URL"]
    servers = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"}
    inside = {name: value for name, value in {**environ, **keys}.items() if name not in servers}
    # The folder of this run is below the hub's own; production's names live in its environment.
    inside |= {SOURCE: source, "HUB_STATE_DIR": str(state.path)}
    return run_with_servers([sys.executable, "-m", "hub.runtime", "restore-drill"], inside)


def _restore(environ: Mapping[str, str]) -> int:
    begun = time.monotonic()
    source, target = environ[SOURCE], environ["DATABASE_OWNER_URL"]
    with tempfile.TemporaryDirectory(prefix="hub-drill-") as folder, _snapshot(source) as (snapshot, expected):
        dump = Path(folder) / "hub.dump"
        _client("pg_dump", source, f"--snapshot={snapshot}", "--format=custom", f"--file={dump}")
        dumped = time.monotonic()
        _client("pg_restore", target, "--exit-on-error", "--no-owner", str(dump))
        restored = time.monotonic()
        size = dump.stat().st_size
    with _connected(target) as connection:
        found = _rows(connection)
    problems = [
        f"{table}: {found.get(table)} rows, and {rows} were backed up" for table, rows in expected.items() if found.get(table) != rows
    ]
    checked = _checked(environ)
    problems += checked["problems"]
    document = {
        "ok": not problems,
        "tables": len(expected),
        "rows": sum(expected.values()),
        "bytes": size,
        "dump_seconds": round(dumped - begun, 1),
        "restore_seconds": round(restored - dumped, 1),
        "people": checked.get("people"),
        "transfers": checked.get("transfers"),
        "sums": checked.get("sums"),
        "problems": problems,
    }
    say(json.dumps(document))
    return 1 if problems else 0


def _checked(environ: Mapping[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "manage.py", "restore_check", "--json"],
        cwd=PROJECT,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"problems": [f"restore_check: {done.stderr[-500:]}"]}
    return found


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    connection = psycopg2.connect(url)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _snapshot(url: str) -> Iterator[tuple[str, dict[str, int]]]:
    """What one moment looks like, for the dump to be of that moment while the hub goes on."""
    with _connected(url) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
        yield str(snapshot), _rows(connection)


def _rows(connection: Any) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        counted = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM public.{table}")
            counted[table] = int(cursor.fetchone()[0])
        return counted


def _client(program: str, url: str, *options: str) -> None:
    parts = urlsplit(url)
    # The password is in the environment: a process list shows arguments.
    environ = {**os.environ, "PGPASSWORD": unquote(parts.password or ""), "PGCONNECT_TIMEOUT": "10"}
    where = [f"--host={parts.hostname}", f"--port={parts.port or 5432}", f"--username={unquote(parts.username or '')}"]
    where.append(f"--dbname={unquote(parts.path.lstrip('/'))}")
    path = str(postgres_versions()[0].program(program))
    done = subprocess.run([path, *where, "--no-password", *options], env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{program} failed:\n{done.stderr[-2000:]}")
