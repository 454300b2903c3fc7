"""
`python -m tests.soak.ledger_kills`: the ledger alone under load, on a PostgreSQL of its own, while its clients, its server's
processes and the whole server are killed at random. SOAK_KILLS says how many kills (300), SOAK_SEED which ones.

A client remembers what was acknowledged, and repeats with the same key what was not, as a careful program does. Afterwards:
nothing acknowledged is lost, nothing is there that nobody was told of, and every rule of the ledger and its seals holds.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import pkgutil
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.errors
import psycopg2.extensions

ROOT = Path(__file__).resolve().parent.parent.parent
CLIENTS = 8
# Few, so that everybody is in everybody's way.
ACCOUNTS = 6
FUNDS = 5_000
NOW = "2026-03-11 12:00+00"
VICTIMS = ("client", "client", "client", "backend", "server")
PAUSE_SECONDS = (0.1, 0.7)
_BATCH = (
    "SELECT code, codes, transfers FROM ledger_post_batch(%s, %s, %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
    " %s::text[], %s)"
)


@dataclass
class Result:
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    transfers: int = 0
    seals: int = 0
    problems: list[str] = field(default_factory=list)

    def show(self) -> str:
        def counted(what: Counter[str]) -> str:
            return ", ".join(f"{name} {number}" for name, number in sorted(what.items()))

        lines = [
            f"seed {self.seed}, kills: {counted(self.kills)}",
            f"calls: {counted(self.calls)}",
            f"answers: {counted(self.codes)}",
            f"{self.transfers} transfers under {self.seals} seals",
            *(f"PROBLEM {text}" for text in self.problems),
            "FAILED" if self.problems else "Nothing lost, nothing doubled, nothing half.",
        ]
        return "\n".join(lines)


# The client: a process of its own.


def _key(seed: int, number: int, item: int = 0) -> str:
    return hashlib.sha256(f"{seed}:{number}:{item}".encode()).hexdigest()[:32]


class Client:
    """
    Call after call, each made of the client's seed, the call's number and the answers so far, so that after a kill the call that
    was under way is made again word for word.
    """

    def __init__(self, url: str, log: Path, seed: int, accounts: list[int]) -> None:
        self.url, self.seed, self.accounts = url, seed, accounts
        whole = log.read_text().rpartition("\n")[0].splitlines() if log.exists() else []
        self.answers: list[Any] = [json.loads(line) for line in whole]
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
        # A kill may have left half a line.
        os.ftruncate(self.log, sum(len(line) + 1 for line in whole))
        os.lseek(self.log, 0, os.SEEK_END)
        self.connection: psycopg2.extensions.connection | None = None

    def run(self, stop: Path) -> None:
        # At least one: whoever was here before may have been killed in the middle of it.
        while True:
            number = len(self.answers)
            kind, statement, arguments, keys = self._call(number, random.Random(f"{self.seed}:{number}"))
            row = self._definite(statement, arguments)
            answer = {"kind": kind, "keys": keys, "row": row}
            os.write(self.log, (json.dumps(answer) + "\n").encode())
            self.answers.append(answer)
            if stop.exists():
                return

    def _call(self, number: int, choose: random.Random) -> tuple[str, str, tuple[Any, ...], list[str]]:
        key = _key(self.seed, number)
        amount = choose.randrange(1, 400)
        debit, credit = choose.sample(self.accounts, 2)
        kind = choose.choices(("post", "independent", "atomic", "hold", "capture", "void", "reverse"), (8, 2, 2, 3, 2, 1, 3))[0]
        before = [answer["row"][1] for answer in self.answers if answer["kind"] in _ORIGINS.get(kind, ()) and answer["row"][0] == "ok"]
        if kind in _ORIGINS and before:
            origin = choose.choice(before[-20:])
            part = () if kind == "void" else (choose.randrange(1, 200),)
            return kind, _FOLLOWING[kind], (key, number, origin, *part, NOW), [key]
        if kind in ("independent", "atomic"):
            size = choose.randrange(2, 12)
            keys = [_key(self.seed, number, item) for item in range(size)]
            pairs = [choose.sample(self.accounts, 2) for _ in keys]
            amounts = [choose.randrange(1, 300) for _ in keys]
            arrays = (keys, [number] * size, [pair[0] for pair in pairs], [pair[1] for pair in pairs], amounts, ["EUR"] * size)
            return kind, _BATCH, (kind == "atomic", kind == "atomic", *arrays, NOW), keys
        if kind == "hold":
            return kind, _HOLD, (key, number, *sorted((debit, credit)), amount, NOW), [key]
        return "post", _POST, (key, number, debit, credit, amount, NOW), [key]

    def _definite(self, statement: str, arguments: tuple[Any, ...]) -> list[Any]:
        while True:
            try:
                if self.connection is None:
                    self.connection = psycopg2.connect(self.url, connect_timeout=2)
                    self.connection.autocommit = True
                with self.connection.cursor() as cursor:
                    cursor.execute(statement, arguments)
                    return list(cursor.fetchone() or ())
            except psycopg2.errors.DeadlockDetected:
                raise
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                if self.connection is not None:
                    self.connection.close()
                self.connection = None
                time.sleep(0.05)


_POST = "SELECT code, transfer, replayed FROM ledger_post(%s, %s, %s, %s, %s, 'EUR', %s)"
_HOLD = "SELECT code, transfer, replayed FROM ledger_hold(%s, %s, %s, %s, %s, 'EUR', %s)"
_FOLLOWING = {
    "capture": "SELECT code, transfer, replayed FROM ledger_capture(%s, %s, %s, %s, 'EUR', false, %s)",
    "void": "SELECT code, transfer, replayed FROM ledger_void(%s, %s, %s, %s)",
    "reverse": "SELECT code, transfer, replayed FROM ledger_reverse(%s, %s, %s, NULL, %s, 'EUR', %s)",
}
_ORIGINS = {"capture": ("hold",), "void": ("hold",), "reverse": ("post", "capture")}


# The server.


@contextlib.contextmanager
def _server() -> Iterator[Any]:
    """An embedded PostgreSQL in a folder of its own: `start()`, `kill()`, and the addresses of its two roles."""
    from hub.runtime import postgres
    from hub.runtime.ports import free_port
    from hub.runtime.servers import home_for, remove_home
    from hub.runtime.state import State
    from hub.runtime.supervise import Supervised

    with tempfile.TemporaryDirectory(prefix="hub-kills-") as folder:
        state = State(Path(folder) / "state")
        state.create()
        home, port = home_for(state), free_port()
        postgres.create(home, state.secrets(), state.log("postgres"))
        supervised = Supervised(postgres.program(home, port, state.log("postgres")), lambda _: None)

        class Server:
            url = postgres.url(postgres.APP_ROLE, state.secrets()["postgres_app"], port)
            owner_url = postgres.url(postgres.OWNER_ROLE, state.secrets()["postgres_owner"], port)

            def start(self) -> None:
                supervised.start()
                _until(lambda: psycopg2.connect(self.url, connect_timeout=2).close(), seconds=60)

            def kill(self) -> None:
                if supervised.process:
                    supervised.process.kill()
                    supervised.process.wait()
                    # What the dead server left running must go before another may start.
                    supervised.signal_group(signal.SIGKILL)

        server = Server()
        try:
            server.start()
            yield server
        finally:
            server.kill()
            remove_home(state)


def _until(work: Callable[[], object], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            work()
        except psycopg2.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _schema(cursor: Any) -> list[int]:
    """The ledger's own tables and functions, from the migrations; and the accounts that the clients use."""
    from django.db.migrations import RunSQL

    import wallets.migrations

    for module in sorted(found.name for found in pkgutil.iter_modules(wallets.migrations.__path__)):
        for operation in importlib.import_module(f"wallets.migrations.{module}").Migration.operations:
            if isinstance(operation, RunSQL) and operation.sql and "ledger_" in operation.sql and "wallets_" not in operation.sql:
                cursor.execute(operation.sql)
    cursor.execute(
        """
        DO $$ DECLARE f regprocedure; BEGIN
            FOR f IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname ~ '^ledger_' LOOP
                EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO hub_app', f);
            END LOOP;
        END $$;
        """
    )
    cursor.execute("SELECT ledger_account_open('EUR', 'accumulating', %s, 'world')", [NOW])
    world = cursor.fetchone()[0]
    accounts = []
    for place in range(ACCOUNTS):
        cursor.execute("SELECT ledger_account_open('EUR', 'guarded', %s, NULL, 0, %s)", [NOW, FUNDS * 2])
        accounts.append(cursor.fetchone()[0])
        cursor.execute("SELECT code FROM ledger_post(%s, 0, %s, %s, %s, 'EUR', %s)", [_key(-1, place), world, accounts[-1], FUNDS, NOW])
    return [*accounts, world]


# Load, kills, proof.


def soak(*, kills: int, seed: int, say: Callable[[str], None] = lambda _: None) -> Result:
    result, chance = Result(seed), random.Random(seed)
    with _server() as server, tempfile.TemporaryDirectory(prefix="hub-kills-") as name:
        folder = Path(name)
        owner = _connect(server.owner_url)
        with owner.cursor() as cursor:
            accounts = _schema(cursor)
        owner.close()

        def client(number: int) -> subprocess.Popen[bytes]:
            words = [server.url, str(folder / f"{number}.log"), str(seed * 100 + number), str(folder / "stop"), *map(str, accounts)]
            return subprocess.Popen([sys.executable, "-m", "tests.soak.ledger_kills", "client", *words], cwd=ROOT)

        clients = [client(number) for number in range(CLIENTS)]
        time.sleep(1)
        for number in range(kills):
            what = chance.choice(VICTIMS)
            result.kills[what] += 1
            place = chance.randrange(CLIENTS)
            if what == "client":
                clients[place].kill()
                clients[place].wait()
                clients[place] = client(place)
            elif what == "server":
                server.kill()
                server.start()
            else:
                _kill_backend(server.owner_url, place)
            with contextlib.suppress(psycopg2.Error):
                _seal(server.owner_url)
            if number % 50 == 49:
                say(f"  {number + 1} kills")
            time.sleep(chance.uniform(*PAUSE_SECONDS))
        (folder / "stop").touch()
        for number, process in enumerate(clients):
            if process.wait(60):
                result.problems.append(f"client {number} ended with {process.returncode}: see its output above")
        _prove(server.owner_url, [folder / f"{number}.log" for number in range(CLIENTS)], result)
    return result


def _connect(url: str) -> psycopg2.extensions.connection:
    connection = psycopg2.connect(url, connect_timeout=5)
    connection.autocommit = True
    return connection


def _kill_backend(url: str, place: int) -> None:
    """One session's process, as the kernel does when memory runs out: PostgreSQL then restarts all of its processes."""
    with (
        contextlib.suppress(psycopg2.Error, ProcessLookupError),
        contextlib.closing(_connect(url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'hub_app' ORDER BY pid")
        found = [pid for (pid,) in cursor.fetchall()]
        if found:
            os.kill(found[place % len(found)], signal.SIGKILL)


def _seal(url: str) -> int:
    with contextlib.closing(_connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT ledger_seal_next(%s)", [NOW])
        return int((cursor.fetchone() or (0,))[0])


def _prove(url: str, logs: list[Path], result: Result) -> None:
    from wallets.seals import checks
    from wallets.verify import CHECKS

    for _ in range(3):
        _until(lambda: _seal(url), seconds=30)
    with contextlib.closing(_connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT replace(key::text, '-', ''), id FROM ledger_transfer")
        there: dict[str, int] = dict(cursor.fetchall())
        result.transfers = len(there)
        told = {_key(-1, place) for place in range(ACCOUNTS)}
        for key, transfer in _acknowledged(logs, result):
            told.add(key)
            if there.get(key) != transfer:
                result.problems.append(f"acknowledged {key} as {transfer}, there is {there.get(key)}")
        result.problems += [f"{key} was acknowledged to nobody" for key in there.keys() - told]
        cursor.execute("SELECT currency, sum(amount) FROM ledger_entry GROUP BY currency HAVING sum(amount) <> 0")
        result.problems += [f"sum of {currency} is {total}" for currency, total in cursor.fetchall()]
        for check in CHECKS:
            if "wallets_" not in check:
                cursor.execute(f"{check} LIMIT 20")
                result.problems += [f"{kind} {place}" for kind, place in cursor.fetchall()]
        connection.autocommit = False
        found = checks.check(cursor, heads={}, most=20)
        result.seals = found.seals
        result.problems += [" ".join(problem) for problem in found.problems]
        cursor.execute("SELECT coalesce((SELECT size FROM ledger_seal ORDER BY number DESC LIMIT 1), 0)")
        (sealed,) = cursor.fetchone() or (0,)
        if sealed != len(there):
            result.problems.append(f"{sealed} of {len(there)} transfers are sealed")


def _acknowledged(logs: list[Path], result: Result) -> Iterator[tuple[str, int]]:
    for log in logs:
        for line in log.read_text().splitlines():
            answer = json.loads(line)
            kind, keys, row = answer["kind"], answer["keys"], answer["row"]
            result.calls[kind] += 1
            if kind in ("independent", "atomic"):
                codes = row[1] or ["ok"] * len(keys)
                if kind == "atomic" and row[0] != "ok":
                    codes = [code if code != "ok" else "batch_refused" for code in codes]
                found = zip(keys, codes, row[2], strict=True)
            else:
                found = zip(keys, row[:1], row[1:2], strict=True)
            for key, code, transfer in found:
                result.codes[code] += 1
                if code == "ok":
                    yield key, transfer


def main() -> int:
    if sys.argv[1:2] == ["client"]:
        url, log, number, stop, *accounts = sys.argv[2:]
        Client(url, Path(log), int(number), [int(account) for account in accounts]).run(Path(stop))
        return 0
    os.environ.setdefault("HUB_ENV", "test")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    import django

    django.setup()
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
    result = soak(kills=int(os.environ.get("SOAK_KILLS", "300")), seed=seed, say=print)
    print(result.show())
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
