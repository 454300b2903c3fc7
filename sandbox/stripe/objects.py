"""Stripe objects as rows: the body is what the wire shows, `private` is what only the sandbox knows."""

import json
import secrets
import sqlite3
import string
from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.stripe.errors import Json, ResourceMissing

Condition = tuple[str, str, str | int]

_ALPHABET = string.ascii_letters + string.digits

# Object name on the wire -> id prefix and length of the random part.
_IDS = {
    "checkout.session": ("cs_test_a1", 58),
    "payment_intent": ("pi_3", 23),
    "charge": ("ch_3", 23),
    "refund": ("re_3", 23),
    "balance_transaction": ("txn_3", 23),
    "event": ("evt_1", 23),
    "item": ("li_1", 23),
    "price": ("price_1", 23),
    "product": ("prod_", 14),
    "payment_method": ("pm_1", 23),
    "request": ("req_", 14),
}


def random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def id_make(kind: str) -> str:
    prefix, length = _IDS[kind]
    return prefix + random_text(length)


@dataclass
class Stored:
    seq: int
    kind: str
    body: Json
    parent: str | None = None
    private: Json = field(default_factory=dict)
    # Sessions: the hub's time of expiry. Everything else: real time at which the sandbox carries on.
    due_at: float | None = None

    @property
    def id(self) -> str:
        return str(self.body["id"])


def object_insert(
    db: sqlite3.Connection, body: Json, *, parent: str | None = None, private: Json | None = None, due_at: float | None = None
) -> Stored:
    kind = str(body["object"])
    cursor = db.execute(
        "INSERT INTO stripe_object (id, kind, parent, created, due_at, body, private) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (body["id"], kind, parent, body["created"], due_at, json.dumps(body), json.dumps(private or {})),
    )
    return Stored(seq=cursor.lastrowid or 0, kind=kind, body=body, parent=parent, private=private or {}, due_at=due_at)


def object_save(db: sqlite3.Connection, stored: Stored) -> None:
    db.execute(
        "UPDATE stripe_object SET body = ?, private = ?, due_at = ? WHERE seq = ?",
        (json.dumps(stored.body), json.dumps(stored.private), stored.due_at, stored.seq),
    )


def _read(row: sqlite3.Row) -> Stored:
    return Stored(
        seq=row["seq"],
        kind=row["kind"],
        body=json.loads(row["body"]),
        parent=row["parent"],
        private=json.loads(row["private"]),
        due_at=row["due_at"],
    )


def object_find(db: sqlite3.Connection, kind: str, object_id: str) -> Stored | None:
    row = db.execute("SELECT * FROM stripe_object WHERE id = ? AND kind = ?", (object_id, kind)).fetchone()
    return _read(row) if row else None


def object_get(db: sqlite3.Connection, kind: str, object_id: str, *, param: str = "id") -> Stored:
    """
    :raises ResourceMissing: there is none of that kind and id.
    """
    found = object_find(db, kind, object_id)
    if found is None:
        raise ResourceMissing(kind, object_id, param=param)
    return found


def any_object_find(db: sqlite3.Connection, object_id: str) -> Stored | None:
    row = db.execute("SELECT * FROM stripe_object WHERE id = ?", (object_id,)).fetchone()
    return _read(row) if row else None


def objects_due(db: sqlite3.Connection, kind: str, *, until: float, limit: int = 50) -> list[Stored]:
    rows = db.execute(
        "SELECT * FROM stripe_object WHERE kind = ? AND due_at <= ? ORDER BY due_at, seq LIMIT ?", (kind, until, limit)
    ).fetchall()
    return [_read(row) for row in rows]


def objects_of(db: sqlite3.Connection, parent: str, kind: str) -> list[Stored]:
    rows = db.execute("SELECT * FROM stripe_object WHERE parent = ? AND kind = ? ORDER BY seq", (parent, kind)).fetchall()
    return [_read(row) for row in rows]


def objects_latest(
    db: sqlite3.Connection,
    kind: str,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    where: Iterable[Condition] = (),
) -> tuple[list[Stored], bool]:
    """
    The newest first; `before` and `after` are seqs, `where` is (name in the body, operator, value); "IN" takes a JSON array.
    Returns the page and whether there is more in the asked direction.
    """
    clauses: list[str] = ["kind = ?"]
    values: list[str | int] = [kind]
    for path, operator, value in where:
        operand = "(SELECT value FROM json_each(?))" if operator == "IN" else "?"
        clauses.append(f"json_extract(body, ?) {operator} {operand}")
        values += [f"$.{path}", value]
    if before is not None:
        clauses.append("seq < ?")
        values.append(before)
    if after is not None:
        clauses.append("seq > ?")
        values.append(after)
    direction = "ASC" if after is not None else "DESC"
    sql = f"SELECT * FROM stripe_object WHERE {' AND '.join(clauses)} ORDER BY seq {direction} LIMIT ?"
    found = [_read(row) for row in db.execute(sql, (*values, limit + 1))]
    page = found[:limit]
    return (page[::-1] if after is not None else page), len(found) > limit
