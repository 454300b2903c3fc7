"""
`python -m hub.runtime restore-drill --moment`: prove that the hub can go back to a moment, on a PostgreSQL of the drill's own.

A server that archives its changes, a hub's tables in it, money that moves and is sealed; a base backup; more money; the moment; and
what has to be gone afterwards. Then the server is killed and its data deleted. What is left is the backup and the archive: a
new server is brought to the moment, and `ledger_verify` looks at the books and at the seal that was noted. Nothing of the hub
that runs is touched, and everything is removed again.

Source: docs/operations.md, "Restore".
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2

from hub.runtime import ports
from hub.runtime.binaries import postgres_versions
from hub.runtime.errors import RunError
from hub.runtime.run import say
from hub.runtime.servers import ServerHome, home_for
from hub.runtime.state import PROJECT, State

ROLES = ("hub_owner", "hub_app")
TRANSFERS = 300
SECONDS = 90
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "replica",
    "archive_mode": "on",
    "max_wal_senders": "2",
    "shared_buffers": "32MB",
}


def drill(environ: Mapping[str, str]) -> int:
    """0: back at the moment, and whole."""
    state = State.chosen(environ)
    state.create()
    home = home_for(state)
    folder = home.make_folder(home.path / f"moment-{secrets.token_hex(4)}")
    begun = time.monotonic()
    try:
        document = _there_and_back(home, folder, environ)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say(json.dumps({**document, "seconds": round(time.monotonic() - begun, 1)}))
    return 0 if document["ok"] else 1


def _there_and_back(home: ServerHome, folder: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    first = _Server(home, folder, "first")
    first.create()
    with first.running():
        _hub_made(first, environ)
        _money_moved(first, TRANSFERS)
        first.base_backup()
        _money_moved(first, TRANSFERS)
        (kept, head, chain), moment = _books(first), first.ask("SELECT clock_timestamp()")[0][0]
        # A moment is kept to the microsecond, and so are the changes; the sleep is for people who read the times.
        time.sleep(1)
        _money_moved(first, TRANSFERS)
        lost = _books(first)[0] - kept
        first.archived()
    shutil.rmtree(first.data)
    second = _Server(home, folder, "second")
    second.restore(moment)
    with second.running():
        found, head_found, chain_found = _books(second)
        verified = _verified(second, environ, f"{head}:{chain}")
    problems = [f"{problem['kind']} {problem['where']}" for problem in verified.get("problems", [{"kind": "not_verified", "where": ""}])]
    if (found, head_found, chain_found) != (kept, head, chain):
        problems.append(f"{found} transfers under seal {head_found}, and {kept} under seal {head} were there at the moment")
    return {
        "ok": not problems,
        "moment": moment.isoformat(),
        "transfers": found,
        "after_it": lost,
        "seals": head_found,
        "problems": problems,
    }


class _Server:
    """A PostgreSQL in the drill's folder; `archive` and `base` are what outlives it."""

    def __init__(self, home: ServerHome, folder: Path, name: str) -> None:
        self.home, self.folder, self.data, self.port = home, folder, folder / name, ports.free_port()
        self.archive, self.base, self.log = folder / "archive", folder / "base", folder / f"{name}.log"

    def create(self) -> None:
        self.home.make_folder(self.archive)
        self.tool("initdb", "-D", str(self.data), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")

    def restore(self, moment: datetime) -> None:
        shutil.copytree(self.base, self.data)
        with (self.data / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
            settings.write(f'restore_command = \'cp "{self.archive}/%f" "%p"\'\n')
            settings.write(f"recovery_target_time = '{moment.isoformat()}'\nrecovery_target_action = 'promote'\n")
        (self.data / "recovery.signal").touch()
        for found in (self.data, *self.data.rglob("*")):
            self.home.give(found)
            found.chmod(0o700 if found.is_dir() else 0o600)

    def base_backup(self) -> None:
        # A client's program, run as whoever drills.
        program = str(postgres_versions()[0].program("pg_basebackup"))
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-D", str(self.base)]
        done = subprocess.run([program, *where, "--checkpoint=fast", "-X", "none"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RunError(f"pg_basebackup failed: {done.stderr[-2000:]}")

    def archived(self) -> None:
        """Wait until the changes so far are in the archive."""
        (file,) = self.ask("SELECT pg_walfile_name(pg_switch_wal())")[0]
        _eventually(lambda: (self.archive / str(file)).exists(), f"{file} does not reach the archive")

    @contextmanager
    def running(self) -> Iterator[None]:
        settings = {**_SETTINGS, "port": str(self.port), "archive_command": f'cp "%p" "{self.archive}/%f"'}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        process = self._start("postgres", "-D", str(self.data), *options)
        try:
            _eventually(self._answers, f"PostgreSQL does not answer, see {self.log}", process)
            yield
        finally:
            # As a power cut would: nothing is written out.
            process.send_signal(signal.SIGQUIT)
            process.wait(30)

    def tool(self, name: str, *arguments: str) -> None:
        if self._start(name, *arguments).wait(120):
            raise RunError(f"{name} failed: {self.log.read_text(encoding='utf-8')[-2000:]}")

    def ask(self, sql: str, *, role: str = "postgres", database: str = "hub") -> list[Any]:
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=role, dbname=database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def urls(self) -> dict[str, str]:
        owner, application = (f"postgres://{role}:drill@127.0.0.1:{self.port}/hub" for role in ROLES)
        return {"DATABASE_OWNER_URL": owner, "DATABASE_URL": application}

    def _answers(self) -> bool:
        try:
            return bool(self.ask("SELECT NOT pg_is_in_recovery()", database="postgres")[0][0])
        except psycopg2.OperationalError:
            return False

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        owner = self.home.owner
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [str(self.home.postgres().program(name)), *arguments],
                cwd=self.home.path,
                env=dict(self.home.environment()),
                stdout=output,
                stderr=output,
                user=owner.uid if owner else None,
                group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
                umask=0o077,
                start_new_session=True,
            )


def _hub_made(server: _Server, environ: Mapping[str, str]) -> None:
    for role in ROLES:
        server.ask(f"CREATE ROLE {role} LOGIN", database="postgres")
    server.ask("CREATE DATABASE hub OWNER hub_owner", database="postgres")
    done = _manage(server, environ, "migrate", "--verbosity", "0")
    if done.returncode:
        raise RunError(f"migrate failed:\n{done.stderr[-2000:]}")


def _money_moved(server: _Server, count: int) -> None:
    """As the application: transfers between two accounts, each a transaction of its own, then a seal."""
    accounts = "ledger_account_open('EUR', 'accumulating', now(), 'drill:{}')"
    (debit, credit) = server.ask(f"SELECT {accounts.format('from')}, {accounts.format('to')}", role="hub_app")[0]
    for _ in range(count):
        server.ask(f"SELECT ledger_post('{uuid.uuid4()}', 1, {debit}, {credit}, 5, 'EUR', now())", role="hub_app")
    server.ask("SELECT ledger_seal_next(now())", role="hub_app")


def _books(server: _Server) -> tuple[int, int, str]:
    """Transfers, and the newest seal's number and chain."""
    found = server.ask(
        "SELECT (SELECT count(*) FROM ledger_transfer), number, encode(chain, 'hex') FROM ledger_seal ORDER BY number DESC LIMIT 1"
    )[0]
    return int(found[0]), int(found[1]), str(found[2])


def _verified(server: _Server, environ: Mapping[str, str], head: str) -> dict[str, Any]:
    done = _manage(server, environ, "ledger_verify", "--json", "--head", head)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise RunError(f"ledger_verify failed:\n{done.stderr[-2000:]}") from None
    return found


def _manage(server: _Server, environ: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    inside = {**os.environ, **environ, "HUB_ENV": "test", **server.urls()}
    return subprocess.run([sys.executable, "manage.py", *words], cwd=PROJECT, env=inside, capture_output=True, text=True, check=False)


def _eventually(check: Any, what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    end = time.monotonic() + SECONDS
    while not check():
        if time.monotonic() > end or (process is not None and process.poll() is not None):
            raise RunError(what)
        time.sleep(0.1)
