"""Events are stored with what caused them, in one transaction; so are the deliveries that the sender then works off."""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.control.faults import fault_take
from sandbox.stripe.errors import Json
from sandbox.stripe.objects import id_make, object_get, object_insert
from sandbox.stripe.shapes import event_shape
from sandbox.world import World

# What the hub's endpoint is subscribed to; the other events can be retrieved only.
DELIVERED = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "charge.refunded",
        "refund.created",
        "refund.updated",
        "refund.failed",
    }
)
REORDER_GAP_SECONDS = 0.4


@dataclass(frozen=True)
class Cause:
    """The API request behind an event; neither is set when a person or the clock caused it."""

    request_id: str | None = None
    idempotency_key: str | None = None


NO_REQUEST = Cause()


@dataclass(frozen=True)
class Endpoint:
    url: str
    secret: str


def endpoint_current(db: sqlite3.Connection, world: World) -> Endpoint | None:
    row = db.execute("SELECT url, secret FROM endpoint WHERE id = 1").fetchone()
    if row:
        return Endpoint(row["url"], row["secret"])
    return Endpoint(world.config.webhook_url, world.config.webhook_secret) if world.config.webhook_url else None


def endpoint_set(db: sqlite3.Connection, endpoint: Endpoint) -> None:
    db.execute("INSERT OR REPLACE INTO endpoint VALUES (1, ?, ?)", (endpoint.url, endpoint.secret))


def moment_emit(db: sqlite3.Connection, world: World, news: Sequence[tuple[str, Json]], *, cause: Cause = NO_REQUEST) -> None:
    """Store the events of one moment, in the order they happened, and queue those the endpoint wants."""
    created = world.clock.timestamp()
    wanted: list[str] = []
    for kind, subject in news:
        body = event_shape(created=created, kind=kind, subject=subject, request_id=cause.request_id, idempotency_key=cause.idempotency_key)
        # A copy: the subject goes on changing, the event tells what it was.
        object_insert(db, json.loads(json.dumps(body)), parent=str(subject["id"]))
        if kind in DELIVERED:
            wanted.append(body["id"])
    if wanted and endpoint_current(db, world):
        _queue(db, wanted)


def _queue(db: sqlite3.Connection, event_ids: Sequence[str]) -> None:
    fault = fault_take(db, "webhook")
    now = time.time()
    for position, event_id in enumerate(event_ids):
        if fault.mode == "lost":
            delivery_add(db, event_id, due_at=now, state="lost")
        elif fault.mode == "late":
            delivery_add(db, event_id, due_at=now + fault.seconds)
        elif fault.mode == "duplicate":
            delivery_add(db, event_id, due_at=now)
            delivery_add(db, event_id, due_at=now)
        elif fault.mode == "reordered":
            delivery_add(db, event_id, due_at=now + (len(event_ids) - 1 - position) * REORDER_GAP_SECONDS)
        elif fault.mode == "forged":
            forgery_add(db, object_get(db, "event", event_id).body, due_at=now)
            delivery_add(db, event_id, due_at=now)
        else:
            delivery_add(db, event_id, due_at=now)


def delivery_add(db: sqlite3.Connection, event_id: str, *, due_at: float, state: str = "due", forgery: str | None = None) -> int:
    cursor = db.execute("INSERT INTO delivery (event_id, state, forgery, due_at) VALUES (?, ?, ?, ?)", (event_id, state, forgery, due_at))
    return cursor.lastrowid or 0


def forgery_add(db: sqlite3.Connection, event: Json, *, due_at: float) -> int:
    """Queue a stranger's copy of an event: an id of its own, and (when sent) signed with a secret he made up."""
    forged = {**event, "id": id_make("event"), "pending_webhooks": 1}
    return delivery_add(db, str(event["id"]), due_at=due_at, forgery=json.dumps(forged, indent=2))


def payment_forge(db: sqlite3.Connection, world: World, session: Json) -> int:
    """Queue a stranger's claim that an unpaid session is paid."""
    claim = {**session, "status": "complete", "payment_status": "paid", "payment_intent": id_make("payment_intent"), "url": None}
    created = world.clock.timestamp()
    event = event_shape(created=created, kind="checkout.session.completed", subject=claim, request_id=None, idempotency_key=None)
    return forgery_add(db, event, due_at=time.time())


def deliveries_pending(db: sqlite3.Connection, event_id: str) -> int:
    row = db.execute("SELECT count(*) FROM delivery WHERE event_id = ? AND state = 'due' AND forgery IS NULL", (event_id,)).fetchone()
    return int(row[0])


@dataclass(frozen=True)
class Delivery:
    id: int
    event_id: str
    state: str
    forged: bool
    attempts: int
    due_at: float
    last_status: int | None
    last_error: str


def deliveries_latest(db: sqlite3.Connection, *, event_ids: Sequence[str] | None = None, limit: int = 200) -> list[Delivery]:
    where, values = "", []
    if event_ids is not None:
        where, values = "WHERE event_id IN (SELECT value FROM json_each(?))", [json.dumps(list(event_ids))]
    rows = db.execute(f"SELECT * FROM delivery {where} ORDER BY id DESC LIMIT ?", (*values, limit))
    return [
        Delivery(
            id=row["id"],
            event_id=row["event_id"],
            state=row["state"],
            forged=row["forgery"] is not None,
            attempts=row["attempts"],
            due_at=row["due_at"],
            last_status=row["last_status"],
            last_error=row["last_error"],
        )
        for row in rows
    ]
