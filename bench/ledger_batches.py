"""The ledger's batches, and its hot accounts."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterable, Iterator

from bench import database, hordak
from bench.ledger import NOW, POST, calling, interleaved, pair
from bench.rows import Row, beside

SIZE = 1_000
_RAW = "set insert of the same rows and indexes, without balances"
_PLACES = "%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[]"
_BATCH = f"SELECT code, codes IS NULL FROM ledger_post_batch(false, false, {_PLACES}, '{NOW}', NULL, %s::text[])"
_RAW_CALL = f"SELECT bench_raw({_PLACES}, '{NOW}', %s::text[])"


def sql(*, rounds: int, seconds: float) -> Iterator[Row]:
    speeds = interleaved({"batch": _batches(_BATCH), "raw": _batches(_RAW_CALL)}, processes=4, rounds=rounds, seconds=seconds, warm_up=3)
    yield beside("ledger.batch.sql", "transfers/s", _items(speeds["batch"]), _RAW, _items(speeds["raw"]))


def django(peer: Callable[[int, float], float], *, rounds: int, seconds: float) -> Iterator[Row]:
    speeds = interleaved({"service": _service}, processes=4, rounds=rounds, seconds=seconds, warm_up=3, peer=peer)
    yield beside("ledger.batch.django4", "transfers/s", _items(speeds["service"]), hordak.PEER, speeds["peer"])


def hot(*, rounds: int, seconds: float) -> Iterator[Row]:
    """Everything into one accumulating account, beside the same between accounts drawn from thousands."""
    account = _hot_account()
    cold = "the same between cold accounts"
    speeds = interleaved(
        {"hot": lambda seed: calling(seed, POST, hot=account), "cold": lambda seed: calling(seed, POST)},
        processes=8,
        rounds=rounds,
        seconds=seconds,
    )
    yield beside("ledger.hot", "transfers/s", speeds["hot"], cold, speeds["cold"])
    speeds = interleaved(
        {"hot": _batches(_BATCH, hot=account), "cold": _batches(_BATCH)}, processes=4, rounds=rounds, seconds=seconds, warm_up=3
    )
    yield beside("ledger.hot.batch", "transfers/s", _items(speeds["hot"]), cold, _items(speeds["cold"]))


def _hot_account() -> int:
    connection = database.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT ledger_account_open('EUR', 'accumulating', '2026-01-01Z', 'bench:hot')")
        return int(cursor.fetchone()[0])


def _items(batches: list[float]) -> list[float]:
    return [speed * SIZE for speed in batches]


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def _batches(statement: str, *, hot: int | None = None) -> Callable[[int], Callable[[], object]]:
    def client(seed: int) -> Callable[[], object]:
        connection = database.connect()
        cursor = connection.cursor()
        choose = random.Random(seed)

        def call() -> object:
            keys = [secrets.token_hex(16) for _ in range(SIZE)]
            debits, credits = zip(*(pair(choose) for _ in range(SIZE)), strict=True)
            arrays = (keys, range(SIZE), debits, [hot] * SIZE if hot else credits, [5] * SIZE, ["EUR"] * SIZE)
            metas = _array(f'"{{\\"payment\\":\\"{key}\\"}}"' for key in keys)
            cursor.execute(statement, [*map(_array, arrays), metas])
            found = cursor.fetchone()
            assert found in (("ok", True), (None,)), found
            return connection

        return call

    return client


def _service(seed: int) -> Callable[[], object]:
    from django.db import connections

    from core import clock
    from core.ids import uuid7
    from core.money import Money
    from wallets import ledger

    connections.close_all()
    choose, amount = random.Random(seed), Money(5, "EUR")

    def call() -> object:
        items = []
        for _ in range(SIZE):
            debit, credit = pair(choose)
            payment = str(uuid7())
            items.append(ledger.Item(debit, credit, amount, f"payment:{payment}", meta={"payment": payment}))
        found = ledger.post_batch(items, mode="independent", now=clock.now())
        assert found.code == "ok"
        return found

    return call
