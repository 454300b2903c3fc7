"""
Personal data at rest: AES-256-GCM under a data key per party, each wrapped by the current master key.

A ciphertext is bound to its table, row and column (AAD), so that one pasted into another place does not open. Erasing
a party destroys its data key. Source: docs/privacy.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import time
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django import forms
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction
from django.db.models.query_utils import DeferredAttribute

# Owner of what belongs to no party: session payloads, raw provider messages without a known party.
SYSTEM_OWNER = UUID(int=0)
_VERSION = b"\x01"
_NONCE_BYTES = 12
# How long another process may still read an erased party's fields.
_CACHE_SECONDS = 30
_CACHE_MAX = 5000


class CryptoError(Exception):
    """A ciphertext does not open: altered, moved to another row, or its master key is not in the ring."""


class KeyDestroyed(CryptoError):
    """The party was erased; nothing can be read or written under its key any more."""


@dataclass(frozen=True)
class MasterRing:
    keys: dict[str, bytes]
    current: str

    @classmethod
    def parse(cls, text: str) -> MasterRing:
        """
        "id:base64 of 32 bytes", comma separated; the first is current.

        :raises ImproperlyConfigured: not of that form.
        """
        keys: dict[str, bytes] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, encoded = part.partition(":")
            try:
                key = base64.b64decode(encoded, altchars=b"-_" if "-" in encoded or "_" in encoded else None, validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if not name or len(key) != 32 or name in keys:
                raise ImproperlyConfigured("HUB_MASTER_KEYS must be 'id:base64 of 32 bytes', comma separated, with ids of their own.")
            keys[name] = key
        if not keys:
            raise ImproperlyConfigured("HUB_MASTER_KEYS holds no key.")
        return cls(keys, next(iter(keys)))


@lru_cache(maxsize=4)
def _ring(text: str) -> MasterRing:
    return MasterRing.parse(text)


def ring() -> MasterRing:
    return _ring(settings.HUB_MASTER_KEYS)


def _seal(key: bytes, plain: bytes, aad: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, aad)


def _open(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    if sealed[:1] != _VERSION:
        raise CryptoError("unknown ciphertext version")
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, aad)
    except (InvalidTag, ValueError) as error:
        raise CryptoError("the ciphertext does not open here") from error


# --- data keys ---------------------------------------------------------------------------------------------------------

_cache: dict[UUID, tuple[float, bytes]] = {}
_cache_lock = threading.Lock()


class _Uncommitted(threading.local):
    """Owners whose key was made in this thread's open transaction."""

    def __init__(self) -> None:
        self.owners: set[UUID] = set()


_uncommitted = _Uncommitted()


def _remember(owner: UUID, key: bytes) -> None:
    if owner in _uncommitted.owners:
        if transaction.get_connection().in_atomic_block:
            return
        _uncommitted.owners.discard(owner)
    with _cache_lock:
        if len(_cache) >= _CACHE_MAX:
            _cache.clear()
        _cache[owner] = (time.monotonic() + _CACHE_SECONDS, key)


def cache_clear() -> None:
    with _cache_lock:
        _cache.clear()


def _wrap_aad(owner: UUID) -> bytes:
    return b"core_data_key|" + owner.bytes


def _unwrap(row: Any) -> bytes:
    if row.wrapped is None:
        raise KeyDestroyed(str(row.owner_id))
    master = ring().keys.get(row.master_id)
    if master is None:
        raise CryptoError(f"master key {row.master_id!r} is not in the ring")
    return _open(master, bytes(row.wrapped), _wrap_aad(row.owner_id))


def data_key(owner: UUID, *, create: bool = False) -> bytes:
    """
    The party's data key (32 bytes).

    :raises KeyDestroyed: it was erased, or never made and `create` is off.
    """
    from core.models import DataKey

    with _cache_lock:
        cached = _cache.get(owner)
    if cached and cached[0] > time.monotonic():
        return cached[1]
    row = DataKey.objects.filter(owner_id=owner).first()
    if row is None:
        if not create:
            raise KeyDestroyed(str(owner))
        current = ring().current
        DataKey.objects.bulk_create(
            [DataKey(owner_id=owner, master_id=current, wrapped=_seal(ring().keys[current], secrets.token_bytes(32), _wrap_aad(owner)))],
            ignore_conflicts=True,
        )
        # Not remembered before the commit: a key of a rolled-back row would encrypt what nobody could ever read.
        _uncommitted.owners.add(owner)
        transaction.on_commit(lambda: _uncommitted.owners.discard(owner))
        row = DataKey.objects.get(owner_id=owner)
    key = _unwrap(row)
    _remember(owner, key)
    return key


def data_keys_warm(owners: set[UUID]) -> None:
    """Read the keys of a list page's owners in one query."""
    from core.models import DataKey

    now = time.monotonic()
    with _cache_lock:
        missing = [owner for owner in owners if owner not in _cache or _cache[owner][0] <= now]
    if missing:
        for row in DataKey.objects.filter(owner_id__in=missing, wrapped__isnull=False):
            _remember(row.owner_id, _unwrap(row))


def data_key_destroy(owner: UUID, *, now: datetime) -> None:
    """Make everything encrypted for this party unreadable for good (other processes forget within 30 seconds)."""
    from core.models import DataKey

    # A party that had no key yet gets the tombstone too, so that nothing can be written for it afterwards.
    DataKey.objects.bulk_create([DataKey(owner_id=owner, master_id="", wrapped=None, destroyed_at=now)], ignore_conflicts=True)
    DataKey.objects.filter(owner_id=owner, wrapped__isnull=False).update(wrapped=None, destroyed_at=now)
    with _cache_lock:
        _cache.pop(owner, None)
    transaction.on_commit(cache_clear)


def data_keys_rewrap(*, batch: int = 500) -> int:
    """Wrap every data key that an older master key holds by the current one; safe to stop and run again. Returns how many."""
    from core.models import DataKey

    current, done = ring().current, 0
    while True:
        with transaction.atomic():
            rows = list(
                DataKey.objects.select_for_update(skip_locked=True).filter(wrapped__isnull=False).exclude(master_id=current)[:batch]
            )
            for row in rows:
                row.wrapped = _seal(ring().keys[current], _unwrap(row), _wrap_aad(row.owner_id))
                row.master_id = current
            DataKey.objects.bulk_update(rows, ["wrapped", "master_id"])
        done += len(rows)
        if not rows:
            return done


def seal(text: str, *, context: str, owner: UUID = SYSTEM_OWNER) -> bytes:
    """Encrypt a text that is not a model field; `context` must be the same when it is opened."""
    return _seal(data_key(owner, create=True), text.encode(), context.encode())


def unseal(sealed: bytes, *, context: str, owner: UUID = SYSTEM_OWNER) -> str:
    """
    :raises CryptoError: altered, another context, or another key.
    """
    return _open(data_key(owner), sealed, context.encode()).decode()


# --- blind index ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _index_key(secret: str, label: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"blind-index|" + label.encode()).derive(secret.encode())


def fold(text: str) -> str:
    """The form in which two spellings of one identifier are equal: NFKC, case-folded, trimmed."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def blind_index(label: str, text: str) -> bytes:
    """HMAC-SHA-256 of the folded text under a key of its own per column (`label`, "app.model.column")."""
    return hmac.new(_index_key(settings.HUB_INDEX_KEY, label), fold(text).encode(), hashlib.sha256).digest()


# --- model fields ----------------------------------------------------------------------------------------------------------


@dataclass
class _Sealed:
    raw: bytes
    plain: str | None = None


class _EncryptedAttribute(DeferredAttribute):
    """Opens the ciphertext when the attribute is first read, because only then table, row and owner are known."""

    field: EncryptedTextField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, _Sealed):
            if value.plain is None:
                value.plain = self.field.decrypt(instance, value.raw)
            return value.plain
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, (bytes, memoryview)):
            value = _Sealed(bytes(value))
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.Field[str, str]):
    """
    Text that is stored encrypted: a `str` on the instance, bytes in the database.

    `owner` names the attribute (dots allowed) that gives the UUID of the party whose key is used; None: the system's.
    The row's primary key must be known before saving (UUID default). Reading a field of an erased party gives "".
    `queryset.update()` and `bulk_update()` refuse plain text, since they do not know the row.
    """

    descriptor_class = _EncryptedAttribute

    def __init__(self, *args: Any, owner: str | None = "party_id", **kwargs: Any) -> None:
        self.owner = owner
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "owner": self.owner}

    def get_internal_type(self) -> str:
        return "BinaryField"

    def to_python(self, value: Any) -> Any:
        return "" if value is None else value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": forms.CharField, "max_length": self.max_length, **kwargs})

    def _owner_of(self, instance: Any) -> UUID:
        value: Any = instance
        for part in self.owner.split(".") if self.owner else ():
            value = getattr(value, part)
        owner = SYSTEM_OWNER if self.owner is None else value
        if not isinstance(owner, UUID):
            raise CryptoError(f"{self.model.__name__}.{self.name}: the row has no owner yet")
        return owner

    def _aad(self, instance: Any) -> bytes:
        if instance.pk is None:
            raise CryptoError(f"{self.model.__name__}.{self.name}: the row has no key yet")
        return f"{self.model._meta.db_table}|{instance.pk}|{self.column}".encode()

    def decrypt(self, instance: Any, raw: bytes) -> str:
        if not raw:
            return ""
        try:
            return _open(data_key(self._owner_of(instance)), raw, self._aad(instance)).decode()
        except KeyDestroyed:
            return ""

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if isinstance(value, _Sealed):
            return value.raw
        if not value:
            return b""
        return _seal(data_key(self._owner_of(model_instance), create=True), str(value).encode(), self._aad(model_instance))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, str):
            if value:
                raise TypeError(f"{self.name} is encrypted per row: set it on the instance and save()")
            value = b""
        return None if value is None else connection.Database.Binary(value)


class BlindIndexField(models.Field[Any, Any]):
    """
    The HMAC of another field, kept for equality look-ups: `filter(handle_index=blind_index(label, text))`.
    The label is "app.model.source". Empty source: NULL, so that a unique constraint lets many rows have none.
    """

    def __init__(self, *args: Any, source: str = "", **kwargs: Any) -> None:
        self.source = source
        kwargs.update(null=True, editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}

    def get_internal_type(self) -> str:
        return "BinaryField"

    @property
    def label(self) -> str:
        return f"{self.model._meta.app_label}.{self.model._meta.model_name}.{self.source}"

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        raw = model_instance.__dict__.get(self.source)
        if isinstance(raw, _Sealed) and raw.plain is None:
            return getattr(model_instance, self.attname)
        text = getattr(model_instance, self.source)
        value = blind_index(self.label, text) if text else None
        setattr(model_instance, self.attname, value)
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return None if value is None else connection.Database.Binary(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        return None if value is None else bytes(value)
