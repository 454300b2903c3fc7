"""The home page of somebody with a long history: time and number of queries at 100, 10,000 and 100,000 transactions."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Any

from bench import database
from bench.rows import Row

SIZES = (100, 10_000, 100_000)


def rows(*, quick: bool = False) -> Iterator[Row]:
    from bench.people import person_with
    from core.money import Money

    found: list[tuple[int, float, int]] = []
    for size in SIZES[:2] if quick else SIZES:
        person, wallet = person_with(Money(size * 10, "EUR"), name="Long History")
        other, target = person_with(Money(100, "EUR"), name="Other Side")
        _history(person, wallet, other, target, size)
        found.append((size, *_home(person, times=5 if quick else 30)))
    base, peer = found[0], f"{found[0][0]} transactions"
    for size, milliseconds, queries in found:
        yield Row(f"page.home.{size}", round(milliseconds, 1), "ms", peer, round(base[1], 1), round(milliseconds / base[1], 2))
        yield Row(f"page.home.{size}.queries", queries, "queries", peer, base[2], round(queries / base[2], 2))


def _history(person: Any, wallet: Any, other: Any, target: Any, size: int) -> None:
    """Transfers of one cent over the last year, as the services would have left them; written in bulk by the owner."""
    from django.db import connection

    from core import clock
    from core.ids import uuid7
    from payments.models import Kind, Payment, State

    now = clock.now()
    step = timedelta(days=365) / size
    with contextlib.closing(database.connect(owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute(
            """
            BEGIN;
            CREATE TEMP TABLE made ON COMMIT DROP AS
            SELECT (SELECT coalesce(max(id), 0) FROM ledger_transfer) + n AS id, n, %(start)s::timestamptz + n * %(step)s::interval AS at
            FROM generate_series(1, %(size)s) n;
            INSERT INTO ledger_transfer (id, key, request_hash, debit, credit, amount, created_at, kind, currency)
            OVERRIDING SYSTEM VALUE
            SELECT id, gen_random_uuid(), 0, %(debit)s, %(credit)s, 1, at, 'posted', 'EUR' FROM made;
            INSERT INTO ledger_entry (account, seq, transfer, amount, balance, created_at, currency)
            SELECT a.id, a.seq + n, m.id, side, a.posted + side * n, at, 'EUR'
            FROM made m CROSS JOIN (VALUES (%(debit)s::bigint, -1), (%(credit)s::bigint, 1)) s (account, side)
            JOIN ledger_account a ON a.id = s.account;
            UPDATE ledger_account a SET posted = e.balance, seq = e.seq, last_at = greatest(a.last_at, e.created_at)
            FROM (SELECT DISTINCT ON (account) * FROM ledger_entry WHERE account IN (%(debit)s, %(credit)s)
                  ORDER BY account, seq DESC) e WHERE e.account = a.id;
            SELECT setval(pg_get_serial_sequence('ledger_transfer', 'id'), (SELECT max(id) FROM ledger_transfer));
            COMMIT;
            """,
            {"start": now - timedelta(days=365), "step": step, "size": size, "debit": wallet.account, "credit": target.account},
        )
    for begin in range(0, size, 5000):
        Payment.objects.bulk_create(
            [
                Payment(
                    id=uuid7(),
                    kind=Kind.TRANSFER,
                    state=State.POSTED,
                    party_id=person.party_id,
                    payer_party_id=person.party_id,
                    payee_party_id=other.party_id,
                    wallet_from=wallet,
                    wallet_to=target,
                    amount_minor=1,
                    currency="EUR",
                    by_person=person,
                    idempotency_key=f"bench-{number}",
                    request_hash=b"",
                    created_at=(moment := now - timedelta(days=365) + number * step),
                    settled_at=moment,
                )
                for number in range(begin, min(begin + 5000, size))
            ]
        )
    with contextlib.closing(database.connect(owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE payments_payment, ledger_entry, ledger_transfer")
    connection.close()


def _home(person: Any, *, times: int) -> tuple[float, int]:
    """Median milliseconds of a signed-in request through the whole middleware, and its queries."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="localhost")
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/").status_code == 200
    took = []
    for _ in range(times):
        began = time.perf_counter()
        response = client.get("/")
        took.append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get("/")
    return median(took), len(queries)
