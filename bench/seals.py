"""The seals' figures: sealing, posting while it is sealed, a proof, their bytes, and verifying the ledger with all its seals."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from uuid import uuid4

from bench import database
from bench import ledger as ledger_bench
from bench.clients import throughput
from bench.rows import Row, against, beside

# A second apart: five times as often as in a running hub.
_TICK = 1.0
_PROOFS = 300


def rows(*, quick: bool = False) -> Iterator[Row]:
    rounds, seconds = (2, 1.0) if quick else (7, 4.0)
    size = 20_000 if quick else 1_000_000
    ledger_bench.prepare()
    # After the ledger's own figures they are there already, none of them sealed.
    if _transfers() < size:
        _post(0)()
        ledger_bench.fill(size)
    count, took = _seal()
    yield against("ledger.seal", "transfers/s", count / took, f"bar: at least, {count:,} transfers", 150_000)
    yield against("ledger.seal.bytes", "bytes", _bytes(), "what seals add to each transfer; part of 480", 480)
    yield against("ledger.proof", "ms", _proof(), f"bar: at most, {_transfers():,} transfers", 5)
    took, memory = _verify()
    yield against("ledger.verify", "s", took, f"bar: at most, {_transfers():,} transfers, all sealed", 30)
    yield against("ledger.verify.memory", "MB", memory, "bar: at most", 300)
    speeds: dict[str, list[float]] = {"on": [], "off": []}
    for _ in range(rounds):
        for name, sealer in (("on", _sealing), ("off", contextlib.nullcontext)):
            with sealer():
                speeds[name].append(throughput(_post, processes=4, seconds=seconds))
    yield beside("ledger.seal.posting", "transfers/s", speeds["on"], "the same without the sealer; bar: 0.95 of it", speeds["off"])


def _post(seed: int) -> Callable[[], object]:
    connection = database.connect()
    cursor = connection.cursor()
    choose = random.Random(seed)

    def call() -> object:
        debit, credit = choose.sample(range(1, ledger_bench.ACCOUNTS + 1), 2)
        sides = f"{debit}, {credit}, 5, 'EUR', '{ledger_bench.NOW}'"
        cursor.execute(f"SELECT ledger_post('{uuid4()}', 1, {sides}, NULL, '{{\"payment\": \"x\"}}')")
        return connection

    return call


@contextlib.contextmanager
def _sealing() -> Iterator[None]:
    """A sealer in a process of its own."""
    running = multiprocessing.get_context("fork").Process(target=_seal_on)
    running.start()
    try:
        yield
    finally:
        running.terminate()
        running.join()


def _seal_on() -> None:
    from django.db import connections

    from core import clock
    from wallets.seals import services

    connections.close_all()
    while True:
        services.seal(now=clock.now())
        time.sleep(_TICK)


def _seal() -> tuple[int, float]:
    """How many were sealed, in how many seconds."""
    from core import clock
    from wallets.seals import services

    began = time.perf_counter()
    count = services.seal(now=clock.now())
    return count, time.perf_counter() - began


def _proof() -> float:
    """Milliseconds to make the proof of a transfer anywhere in the ledger."""
    from wallets.seals import selectors

    choose, times, most = random.Random(1), [], _one("SELECT max(id) FROM ledger_transfer")
    for number in range(_PROOFS + 20):
        transfer = int(_one(f"SELECT id FROM ledger_transfer WHERE id >= {choose.randrange(1, int(most) + 1)} ORDER BY id LIMIT 1"))
        began = time.perf_counter()
        selectors.proof_of(transfer)
        if number >= 20:
            times.append(time.perf_counter() - began)
    return median(times) * 1000


def _one(statement: str) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return float(cursor.fetchone()[0])


def _transfers() -> int:
    return int(_one("SELECT count(*) FROM ledger_transfer"))


def _bytes() -> float:
    return _one(
        "SELECT (pg_total_relation_size('ledger_seal') + pg_total_relation_size('ledger_seal_block'))::numeric / max(size) FROM ledger_seal"
    )


def _verify() -> tuple[float, float]:
    """Seconds and peak megabytes of the command as an operator runs it."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "manage.py", "ledger_verify", "--json"], cwd=database.ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
