"""Sends the queued deliveries, signed as Stripe signs, until somebody answers 2xx."""

import hashlib
import hmac
import http.client
import json
import logging
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.stripe.events import Endpoint, endpoint_current
from sandbox.stripe.objects import object_find
from sandbox.world import World

logger = logging.getLogger(__name__)

# Real seconds; development's hub restarts within seconds, so this climbs slower than Stripe's hours.
BACK_OFF_SECONDS = (0.5, 1, 2, 3, 5, 10, 20, 30)
BACK_OFF_LAST_SECONDS = 60.0
ATTEMPTS_MAX = 500
TIMEOUT_SECONDS = 10.0
FORGED_SECRET = "whsec_made_up_by_a_stranger"


def signature_header(payload: bytes, secret: str, *, timestamp: int) -> str:
    signed = b"%d.%s" % (timestamp, payload)
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True)
class Due:
    delivery_id: int
    attempts: int
    forged: bool
    payload: bytes
    endpoint: Endpoint


@dataclass(frozen=True)
class Answer:
    status: int | None
    error: str = ""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def delivery_send_next(world: World) -> bool:
    """Send the oldest due delivery. Returns False when none is due."""
    with world.sending:
        due = _due_next(world)
        if due is None:
            return False
        secret = FORGED_SECRET if due.forged else due.endpoint.secret
        answer = _post(due.endpoint, due.payload, signature_header(due.payload, secret, timestamp=world.clock.timestamp()))
        _outcome_store(world, due, answer)
        return True


def seconds_to_next(world: World) -> float | None:
    with world.store.reading() as db:
        row = db.execute("SELECT min(due_at) FROM delivery WHERE state = 'due'").fetchone()
    return None if row[0] is None else max(0.0, float(row[0]) - time.time())


def _due_next(world: World) -> Due | None:
    with world.store.reading() as db:
        row = db.execute(
            "SELECT * FROM delivery WHERE state = 'due' AND due_at <= ? ORDER BY due_at, id LIMIT 1", (time.time(),)
        ).fetchone()
        if row is None:
            return None
        event = object_find(db, "event", row["event_id"])
        endpoint = endpoint_current(db, world)
    forgery = row["forgery"]
    payload = forgery or (json.dumps({**event.body, "pending_webhooks": 1}, indent=2) if event else "")
    if not payload or endpoint is None:
        _close(world, row["id"], "nowhere to send it")
        return None
    return Due(row["id"], row["attempts"], forgery is not None, payload.encode(), endpoint)


def _close(world: World, delivery_id: int, why: str) -> None:
    with world.store.writing() as db:
        db.execute("UPDATE delivery SET state = 'dead', last_error = ? WHERE id = ?", (why, delivery_id))


def _post(endpoint: Endpoint, payload: bytes, signature: str) -> Answer:
    try:
        parts = urlsplit(endpoint.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (hub sandbox)",
                "Stripe-Signature": signature,
            }
            connection.request("POST", target, body=payload, headers=headers)
            # A redirect counts as a refusal, as at Stripe.
            response = connection.getresponse()
            response.read(65536)
            return Answer(response.status)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(None, type(error).__name__)


def _outcome_store(world: World, due: Due, answer: Answer) -> None:
    attempts = due.attempts + 1
    if due.forged:
        state = "forged"
    elif answer.accepted:
        state = "delivered"
    else:
        state = "due" if attempts < ATTEMPTS_MAX else "dead"
    delay = BACK_OFF_SECONDS[attempts - 1] if attempts <= len(BACK_OFF_SECONDS) else BACK_OFF_LAST_SECONDS
    now = time.time()
    with world.store.writing() as db:
        db.execute(
            "UPDATE delivery SET state = ?, attempts = ?, due_at = ?, last_at = ?, last_status = ?, last_error = ? WHERE id = ?",
            (state, attempts, now + delay, now, answer.status, answer.error, due.delivery_id),
        )
