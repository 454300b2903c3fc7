"""
A client's key makes a write safe to repeat: the same key and body replay the first answer, another body is refused,
and a repeat that comes while the first still runs is told to wait.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import HubError
from core.models import IdempotencyKey

# Longer than any request takes (two calls of a provider, 11 s each); a process that died in the middle frees its key after this.
# Should one take longer all the same, the services' own keys still let the second find the first.
LOCK = timedelta(seconds=30)
KEPT_FOR = timedelta(days=7)
KEY_MAX = 255


class IdempotencyKeyMissing(HubError):
    code = "idempotency_key_required"
    http_status = 400
    default_message = _("Send an Idempotency-Key header, so that repeating the call cannot move money twice.")


class IdempotencyKeyInvalid(HubError):
    code = "idempotency_key_invalid"
    http_status = 400
    default_message = _("The Idempotency-Key must be 1 to 255 visible ASCII characters.")


class IdempotencyConflict(HubError):
    """The key was used for something else."""

    code = "idempotency_conflict"
    http_status = 409
    default_message = _("This key was used with another request.")


class IdempotencyRunning(HubError):
    """The first call with this key has not finished; `extra["retry_after"]` is in seconds."""

    code = "idempotency_running"
    http_status = 409
    default_message = _("The first request with this key is still running. Try again shortly.")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


def request_hash(*parts: object) -> bytes:
    """SHA-256 over a canonical JSON form of what was asked."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str).encode()).digest()


def key_check(key: str | None) -> str:
    """
    :raises IdempotencyKeyMissing, IdempotencyKeyInvalid: none, or not 1 to 255 visible ASCII characters.
    """
    if key is None or not key.strip():
        raise IdempotencyKeyMissing()
    key = key.strip()
    if len(key) > KEY_MAX or not all(33 <= ord(char) <= 126 for char in key):
        raise IdempotencyKeyInvalid()
    return key


@transaction.atomic
def begin(*, client: str, key: str, asked: bytes) -> tuple[IdempotencyKey, Answer | None]:
    """
    Claim the key, or find the first answer. `client` says whose key it is; `asked` is a `request_hash`.

    :raises IdempotencyConflict: the key belongs to another request.
    :raises IdempotencyRunning: the first call is still at work.
    """
    now = clock.real()
    fresh = IdempotencyKey(client=client, key=key, request_hash=asked, locked_until=now + LOCK, created_at=now)
    IdempotencyKey.objects.bulk_create([fresh], ignore_conflicts=True)
    row = IdempotencyKey.objects.select_for_update().get(client=client, key=key)
    if row.id == fresh.id:
        return row, None
    if bytes(row.request_hash) != asked:
        raise IdempotencyConflict(field="Idempotency-Key")
    if row.status is not None:
        return row, Answer(row.status, json.loads(row.answer) if row.answer else None)
    if row.locked_until is not None and row.locked_until > now:
        raise IdempotencyRunning(retry_after=max(1, int((row.locked_until - now).total_seconds())))
    row.locked_until = now + LOCK
    row.save(update_fields=["locked_until"])
    return row, None


def finish(row: IdempotencyKey, answer: Answer) -> None:
    """Store the first answer. A fault (5xx) frees the key instead: nothing is known to have happened."""
    if answer.status >= 500:
        row.delete()
        return
    row.status, row.locked_until = answer.status, None
    row.answer = json.dumps(answer.body) if answer.body is not None else ""
    row.save(update_fields=["status", "answer", "locked_until"])


def release(row: IdempotencyKey) -> None:
    """The call ended without an answer of its own; the next try starts anew."""
    row.delete()
