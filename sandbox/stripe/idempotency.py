"""
Idempotency as Stripe does it: the first answer of execution is stored with the effect, in its transaction, and replayed.

A key in use is remembered in memory only: when the process dies, so did the request.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.stripe.errors import IdempotencyInUse, IdempotencyMismatch, ParamInvalid
from sandbox.stripe.params import Node

KEY_LONGEST = 255
# After this the same key makes a new object, as Stripe warns.
KEPT_SECONDS = 24 * 3600

_running: set[tuple[str, str]] = set()
_running_lock = threading.Lock()


@dataclass(frozen=True)
class Kept:
    status: int
    body: str
    request_id: str


def key_check(key: str) -> None:
    if len(key) > KEY_LONGEST:
        raise ParamInvalid(f"Idempotency keys can be at most {KEY_LONGEST} characters long.")


@contextmanager
def key_held(account: str, key: str) -> Iterator[None]:
    """
    :raises IdempotencyInUse: another request with this key is still running.
    """
    with _running_lock:
        if (account, key) in _running:
            raise IdempotencyInUse(
                "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, "
                f"and the other request is still going through): {key}. Please try again later.",
                code="idempotency_key_in_use",
            )
        _running.add((account, key))
    try:
        yield
    finally:
        with _running_lock:
            _running.discard((account, key))


def fingerprint_of(params: dict[str, Node]) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


def answer_find(db: sqlite3.Connection, account: str, key: str, *, endpoint: str, fingerprint: str, now: int) -> Kept | None:
    """
    :raises IdempotencyMismatch: the key was used for another endpoint or with other parameters.
    """
    db.execute("DELETE FROM stripe_answer WHERE created <= ?", (now - KEPT_SECONDS,))
    row = db.execute("SELECT * FROM stripe_answer WHERE account = ? AND key = ?", (account, key)).fetchone()
    if row is None:
        return None
    if row["endpoint"] != endpoint:
        raise IdempotencyMismatch(
            f"Keys for idempotent requests can only be used for the same endpoint they were first used for ('{endpoint}' vs "
            f"'{row['endpoint']}'). Try using a key other than '{key}' if you meant to execute a different request."
        )
    if row["fingerprint"] != fingerprint:
        raise IdempotencyMismatch(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request."
        )
    return Kept(row["status"], row["body"], row["request_id"])


def answer_keep(db: sqlite3.Connection, account: str, key: str, *, endpoint: str, fingerprint: str, kept: Kept, now: int) -> None:
    db.execute(
        "INSERT OR REPLACE INTO stripe_answer VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key, account, endpoint, fingerprint, kept.status, kept.body, kept.request_id, now),
    )
