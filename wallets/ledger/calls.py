"""What all calls of the ledger share: keys, the hash of a request, and one statement to the database with its answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from core.errors import HubError
from wallets.errors import REFUSALS, AccountUnknown

ACCOUNT_MAX = 2**31 - 1
_UUID7 = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode
_encode_meta = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
Meta = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a write came to. For a hold, `id` is the hold's. `created_at` is when it was recorded."""

    id: int
    created_at: datetime
    replayed: bool


def key_id(key: str | UUID) -> UUID:
    """
    The 128 bits under which a key is kept: a UUID as it is, a text by its SHA-256. A text that names a UUID version 7
    ("payment:0197...") keeps that UUID's milliseconds in front, so that keys of one time lie side by side in the index.
    """
    return key if isinstance(key, UUID) else UUID(bytes=bytes.fromhex(key_hex(key)))


def key_hex(key: str | UUID) -> str:
    """The same as 32 hexadecimal digits, which is all that the database needs."""
    if isinstance(key, UUID):
        return key.hex
    digest = hashlib.sha256(key.encode()).hexdigest()
    named = _UUID7.search(key)
    return named[1] + named[2] + digest[:20] if named else digest[:32]


def request_hash(*request: object) -> int:
    """64 bits of the request: enough to tell a repetition from a mistake, and nobody gains by forging his own."""
    return text_hash(_encode(request))


def text_hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def post_hash(debit: int, credit: int, amount: int, currency: str, effective_at: datetime | None, meta: str | None) -> int:
    """request_hash("post", ...), of the same text, written out: one of the costlier steps of a transfer otherwise."""
    when = "null" if effective_at is None else quoted(str(effective_at))
    packed = "null" if meta is None else quoted(meta)
    return text_hash(f'["post",{debit},{credit},{amount},"{currency}",{when},{packed}]')


def meta_pack(meta: Meta | None) -> str | None:
    return _encode_meta(meta) if meta else None


def account_check(account: int) -> int:
    """
    :raises AccountUnknown: no account can have this number.
    """
    if not 0 < account <= ACCOUNT_MAX:
        raise AccountUnknown()
    return account


def refusal(code: str) -> HubError:
    return REFUSALS[code]()


def row(statement: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """
    The one row that the statement answers with. Django's own cursor costs as much as the rest of a call together, so this is
    what it does without its wrapping, unless somebody counts, logs or wraps queries.
    """
    # Looked up once: each attribute of django.db.connection is a search of its own.
    here = connections[DEFAULT_DB_ALIAS]
    if here.queries_logged or here.execute_wrappers:
        with here.cursor() as cursor:
            cursor.execute(statement, arguments)
            return tuple(cursor.fetchone())
    here.close_if_health_check_failed()
    here.ensure_connection()
    here.validate_no_broken_transaction()
    with here.wrap_database_errors, here.connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        found: tuple[Any, ...] = cursor.fetchone()
        return found


def write(function: str, *arguments: Any) -> Transfer:
    """
    Call a function that answers with `ledger_answer`. The answer is taken as one text: as a table of columns it would cost
    the database a tenth of a transfer.

    :raises HubError: the refusal that the answer names.
    """
    (answer,) = row(f"SELECT {function}({_MARKS[len(arguments)]})", arguments)
    code, transfer, created_at, replayed = answer[1:-1].split(",")
    if code != "ok":
        raise refusal(code)
    return Transfer(int(transfer), datetime.fromisoformat(created_at.strip('"')), replayed == "t")


_MARKS = [",".join(["%s"] * count) for count in range(16)]


def change(function: str, *arguments: Any) -> None:
    """
    Call a function that answers with a code.

    :raises HubError: the refusal of that code.
    """
    (code,) = row(f"SELECT {function}({_MARKS[len(arguments)]})", arguments)
    if code != "ok":
        raise refusal(code)
