"""The ledger's figures: single transfers in SQL and through the service, bytes, balance as of a moment."""

from __future__ import annotations

import contextlib
import random
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from statistics import median

from bench import database
from bench.clients import Client, throughput
from bench.rows import Row, against, beside

ACCOUNTS = 10_000
NOW = "2026-03-11 12:00+00"
SAME_ROWS = "minimum PL/pgSQL function: the same rows and indexes, no checks"
_BARE = "bare PL/pgSQL function: narrow tables, no keys, no history, no checks"


def rows(*, quick: bool = False) -> Iterator[Row]:
    from bench import hordak, ledger_batches

    rounds, seconds = (2, 1.0) if quick else (7, 3.0)
    prepare()
    speeds = interleaved({"post": _post, "minimum": minimum, "bare": _bare}, processes=8, rounds=rounds, seconds=seconds)
    yield beside("ledger.single.sql", "transfers/s", speeds["post"], SAME_ROWS, speeds["minimum"])
    yield beside("ledger.single.sql.bare", "transfers/s", speeds["post"], _BARE, speeds["bare"])
    yield from ledger_batches.sql(rounds=rounds, seconds=seconds)
    with hordak.running() as peer:
        for processes in (1, 4):
            speeds = interleaved({"service": _service, "minimum": minimum}, processes=processes, rounds=rounds, seconds=seconds, peer=peer)
            yield beside(f"ledger.single.django{processes}", "transfers/s", speeds["service"], hordak.PEER, speeds["peer"])
            yield beside(
                f"ledger.single.django{processes}.minimum", "transfers/s", speeds["service"], f"{SAME_ROWS}, plain SQL", speeds["minimum"]
            )
        yield from ledger_batches.django(peer, rounds=rounds, seconds=seconds)
    yield from ledger_batches.hot(rounds=rounds, seconds=seconds)
    # After everything: the more rows, the less weigh pages that are still empty.
    yield against("ledger.bytes", "bytes", _bytes(), "bar: at most", 480)
    size = 20_000 if quick else 1_000_000
    fill(size)
    yield against("ledger.asof", "ms", _asof(), f"bar: at most, account with {size:,} entries", 1)


@cache
def prepare() -> None:
    """The accounts and the peers' functions, once in a run."""
    with contextlib.closing(database.connect(owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute((Path(__file__).parent / "ledger.sql").read_text())
        cursor.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC")
        cursor.execute("VACUUM ANALYZE")


def interleaved(
    clients: dict[str, Client],
    *,
    processes: int,
    rounds: int,
    seconds: float,
    peer: Callable[[int, float], float] | None = None,
    warm_up: int = 50,
) -> dict[str, list[float]]:
    """
    Calls per second of each, all in turn, round by round, so that what else the machine does falls on all alike. `peer` is
    measured by a process of its own and goes by the name "peer".
    """
    speeds: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds):
        for name, client in clients.items():
            speeds[name].append(throughput(client, processes=processes, seconds=seconds, seed=turn * 100, warm_up=warm_up))
        if peer:
            speeds["peer"].append(peer(processes, seconds))
    return speeds


def pair(choose: random.Random) -> tuple[int, int]:
    debit = choose.randrange(1, ACCOUNTS + 1)
    return debit, (debit + choose.randrange(ACCOUNTS - 1)) % ACCOUNTS + 1


def calling(seed: int, statement: str, *, hot: int | None = None) -> Callable[[], object]:
    """
    Call a statement with a new key, hash, debit, credit and meta; every client is a connection of its own. Nothing is prepared:
    for a call of a function, EXECUTE costs the server more than the call itself.
    """
    connection = database.connect()
    cursor = connection.cursor()
    choose = random.Random(seed)

    def call() -> object:
        debit, credit = pair(choose)
        key = secrets.token_hex(16)
        cursor.execute(statement.format(key=key, hash=debit, debit=debit, credit=hot or credit, meta=f'{{"payment":"{key}"}}'))
        return connection

    return call


POST = f"SELECT ledger_post('{{key}}', {{hash}}, {{debit}}, {{credit}}, 5, 'EUR', '{NOW}', NULL, '{{meta}}')"


def _post(seed: int) -> Callable[[], object]:
    return calling(seed, POST)


def minimum(seed: int) -> Callable[[], object]:
    return calling(seed, f"SELECT bench_minimum('{{key}}', {{hash}}, {{debit}}, {{credit}}, 5, 'EUR', '{NOW}', '{{meta}}')")


def _bare(seed: int) -> Callable[[], object]:
    return calling(seed, f"SELECT bench_bare({{debit}}, {{credit}}, 5, '{NOW}')")


def _service(seed: int) -> Callable[[], object]:
    from django.db import connections

    from core import clock
    from core.ids import uuid7
    from core.money import Money
    from wallets import ledger

    connections.close_all()
    choose, amount = random.Random(seed), Money(5, "EUR")

    def call() -> object:
        debit, credit = pair(choose)
        payment = str(uuid7())
        return ledger.post(debit=debit, credit=credit, amount=amount, key=f"payment:{payment}", now=clock.now(), meta={"payment": payment})

    return call


def _one(statement: str, *, owner: bool = False) -> float:
    with contextlib.closing(database.connect(owner=owner)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return float(cursor.fetchone()[0])


def _bytes() -> float:
    """Of a transfer with its two entries, all indexes, page headers and half-empty pages."""
    return _one(
        "SELECT (pg_total_relation_size('ledger_transfer') + pg_total_relation_size('ledger_entry'))::numeric"
        " / (SELECT count(*) FROM ledger_transfer)"
    )


def fill(transfers: int) -> None:
    """So many transfers from account 1 to many, as the ledger would have written them, one second apart."""
    with contextlib.closing(database.connect(owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute(f"""
            BEGIN;
            CREATE TEMP TABLE made ON COMMIT DROP AS
            SELECT (SELECT max(id) FROM ledger_transfer) + n AS id, 2 + n % 5000 AS credit, n,
                (SELECT max(last_at) FROM ledger_account) + n * interval '1 second' AS at
            FROM generate_series(1, {transfers}) n;
            INSERT INTO ledger_transfer (id, key, request_hash, debit, credit, amount, created_at, kind, currency, meta)
            OVERRIDING SYSTEM VALUE
            SELECT id, gen_random_uuid(), 0, 1, credit, 1, at, 'posted', 'EUR', '{{"payment": "x"}}' FROM made;
            INSERT INTO ledger_entry (account, seq, transfer, amount, balance, created_at, currency)
            SELECT 1, a.seq + n, m.id, -1, a.posted - n, at, 'EUR' FROM made m, ledger_account a WHERE a.id = 1
            UNION ALL
            SELECT a.id, a.seq + row_number() OVER w, m.id, 1, a.posted + row_number() OVER w, at, 'EUR'
            FROM made m JOIN ledger_account a ON a.id = m.credit WINDOW w AS (PARTITION BY m.credit ORDER BY m.n);
            UPDATE ledger_account a SET posted = e.balance, seq = e.seq, last_at = e.created_at
            FROM (SELECT DISTINCT ON (account) * FROM ledger_entry ORDER BY account, seq DESC) e
            WHERE e.account = a.id AND a.kind = 'guarded';
            SELECT setval(pg_get_serial_sequence('ledger_transfer', 'id'), (SELECT max(id) FROM ledger_transfer));
            COMMIT;
        """)
        cursor.execute("VACUUM ANALYZE ledger_transfer, ledger_entry, ledger_account")


def _asof() -> float:
    """Milliseconds of one question on a warm connection, the account's whole history as the range."""
    choose, times = random.Random(1), []
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT min(created_at), max(created_at) FROM ledger_entry WHERE account = 1")
        first, last = cursor.fetchone()
        cursor.execute("PREPARE asof (timestamptz) AS SELECT ledger_balance_at(1, $1)")
        for _ in range(300):
            moment = first + (last - first) * choose.random()
            began = time.perf_counter()
            cursor.execute("EXECUTE asof (%s)", [moment])
            times.append(time.perf_counter() - began)
    return median(times) * 1000
