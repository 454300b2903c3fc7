"""
SESSION_ENGINE: sessions in PostgreSQL. The table holds the SHA-256 of the key and an encrypted payload, so a copy of the
database neither signs anybody in nor shows the codes and addresses that allauth keeps in sessions.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.core.signing import JSONSerializer
from django.db import IntegrityError, transaction

from core import clock, crypto

DEVICE_KEY = "device"
# Often enough for "last seen" in the list, rare enough not to write on every page.
SEEN_EVERY = timedelta(minutes=5)


def key_hash(session_key: str) -> bytes:
    return hashlib.sha256(session_key.encode()).digest()


def _context(hashed: bytes) -> str:
    return f"accounts_session|{hashed.hex()}|payload"


def payload_seal(data: dict[str, Any], hashed: bytes) -> bytes:
    return crypto.seal(JSONSerializer().dumps(data).decode("latin-1"), context=_context(hashed))


def payload_open(payload: bytes, hashed: bytes) -> dict[str, Any]:
    """The payload, or an empty one if it does not open: a forged or moved row is nobody's session."""
    try:
        opened = json.loads(crypto.unseal(bytes(payload), context=_context(hashed)))
    except (crypto.CryptoError, ValueError):
        return {}
    return opened if isinstance(opened, dict) else {}


class SessionStore(SessionBase):
    def exists(self, session_key: str) -> bool:
        from accounts.models import Session

        return Session.objects.filter(key_hash=key_hash(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]  # Django's own way to write a store
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        hashed = key_hash(self.session_key)
        now = clock.now()
        values = {
            "payload": payload_seal(data, hashed),
            "person_id": _person_id(data),
            "seen_at": now,
            "expires_at": self._expires_at(now),
        }
        if must_create:
            self._insert(hashed, values, now)
        else:
            self._update(hashed, values)
        return None

    def _insert(self, hashed: bytes, values: dict[str, Any], now: datetime) -> None:
        from accounts.models import Session

        try:
            with transaction.atomic():
                Session.objects.create(key_hash=hashed, created_at=now, **values)
        except IntegrityError:
            raise CreateError from None

    def _update(self, hashed: bytes, values: dict[str, Any]) -> None:
        from accounts.models import Session

        # A session that was ended elsewhere meanwhile must not come back to life by being saved.
        if not Session.objects.filter(key_hash=hashed).update(**values):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        from accounts.models import Session

        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(key_hash=key_hash(key)).delete()

    def load(self) -> dict[str, Any]:
        from accounts.models import Session

        now = clock.now()
        hashed = key_hash(self.session_key) if self.session_key else b""
        row = Session.objects.filter(key_hash=hashed, expires_at__gt=now).first() if hashed else None
        if row is None:
            self._session_key = None
            return {}
        if now - row.seen_at > SEEN_EVERY:
            Session.objects.filter(pk=row.pk).update(seen_at=now)
        return payload_open(bytes(row.payload), hashed)

    @classmethod
    def clear_expired(cls) -> int:  # type: ignore[override]
        """Forget what has run out; returns how many sessions."""
        from accounts.models import Session

        deleted, _rows = Session.objects.filter(expires_at__lte=clock.now()).delete()
        return deleted

    def _expires_at(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.get_expiry_age(modification=now))


def _person_id(data: dict[str, Any]) -> UUID | None:
    try:
        return UUID(str(data[SESSION_KEY])) if data.get(SESSION_KEY) else None
    except ValueError:
        return None
