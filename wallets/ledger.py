"""
The ledger, as Python sees it: one database call per operation.

Amounts are positive minor units; `now` is aware UTC. Every write takes a key: the same key with the same request gives the
first answer (`replayed`), with another request IdempotencyConflict. A refusal is a named error and writes nothing; the
caller's transaction stays usable, so no savepoint is needed. Outside a transaction each call is one of its own.

Source: docs/ledger.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core import clock, due
from core.errors import HubError
from core.money import Money, amount_check, currency_check
from wallets.errors import REFUSALS, AccountUnknown

_ACCOUNT_MAX = 2**31 - 1
_UUID7 = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CEILING_NONE = 4 * 10**18  # what an account has when nobody set a limit; sums stay inside a bigint
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
    if isinstance(key, UUID):
        return key
    digest = hashlib.sha256(key.encode()).digest()
    named = _UUID7.search(key)
    return UUID(bytes=bytes.fromhex(named[1] + named[2]) + digest[:10] if named else digest[:16])


def _hash(*request: object) -> int:
    """64 bits of the request: enough to tell a repetition from a mistake, and nobody gains by forging his own."""
    text = json.dumps(request, sort_keys=True, separators=(",", ":"), default=str)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def _meta(meta: Meta | None) -> str | None:
    return json.dumps(meta, sort_keys=True, separators=(",", ":")) if meta else None


def _account(account: int) -> int:
    if not 0 < account <= _ACCOUNT_MAX:
        raise AccountUnknown()
    return account


def refusal(code: str) -> HubError:
    return REFUSALS[code]()


def _write(function: str, *arguments: Any) -> Transfer:
    marks = ",".join(["%s"] * len(arguments))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT code, transfer, created_at, replayed FROM {function}({marks})", arguments)  # noqa: S608  (names of ours)
        code, transfer, created_at, replayed = cursor.fetchone()
    if code != "ok":
        raise refusal(code)
    return Transfer(transfer, created_at, replayed)


def post(
    *,
    debit: int,
    credit: int,
    amount: Money,
    key: str | UUID,
    now: datetime,
    effective_at: datetime | None = None,
    meta: Meta | None = None,
) -> Transfer:
    """
    Move money from the debit account to the credit account: one round trip.

    :raises InsufficientFunds: a guarded debit account would fall below its floor.
    :raises CeilingExceeded: a guarded credit account would rise above its ceiling.
    :raises AccountClosed, AccountUnknown, SameAccount, CurrencyMismatch, AmountInvalid: what it says.
    :raises IdempotencyConflict: the key did something else before.
    """
    amount_check(amount)
    packed = _meta(meta)
    return _write(
        "ledger_post",
        key_id(key),
        _hash("post", debit, credit, amount.amount, amount.currency, effective_at, packed),
        _account(debit),
        _account(credit),
        amount.amount,
        amount.currency,
        now,
        effective_at,
        packed,
    )


@transaction.atomic
def hold(
    *,
    debit: int,
    credit: int,
    amount: Money,
    key: str | UUID,
    now: datetime,
    expires_at: datetime | None = None,
    meta: Meta | None = None,
) -> Transfer:
    """
    Set money of a guarded account aside for a later capture to `credit`; it leaves the available balance at once. The
    answer's `id` is the hold's. After `expires_at` it cannot be captured and is given back by due work.

    :raises InsufficientFunds: not that much is available.
    :raises HoldExpired: `expires_at` is not after `now`.
    """
    amount_check(amount)
    packed = _meta(meta)
    found = _write(
        "ledger_hold",
        key_id(key),
        _hash("hold", debit, credit, amount.amount, amount.currency, expires_at, packed),
        _account(debit),
        _account(credit),
        amount.amount,
        amount.currency,
        now,
        expires_at,
        packed,
    )
    if expires_at is not None and not found.replayed:
        due.schedule("wallets.hold_expire", run_key=str(found.id), due_at=expires_at, hold=found.id)
    return found


def capture(
    *,
    hold: int,
    key: str | UUID,
    now: datetime,
    amount: Money | None = None,
    final: bool = False,
    effective_at: datetime | None = None,
    meta: Meta | None = None,
) -> Transfer:
    """
    Move a part of a hold, or all that remains. `final` gives the rest back in the same call.

    :raises HoldExceeded: the amount is more than what remains.
    :raises HoldUnknown, HoldClosed, HoldExpired: what it says.
    :raises CurrencyMismatch: the hold is in another currency.
    """
    packed = _meta(meta)
    return _write(
        "ledger_capture",
        key_id(key),
        _hash("capture", hold, _plain(amount), final, effective_at, packed),
        hold,
        *_part(amount),
        final,
        now,
        effective_at,
        packed,
    )


def void(*, hold: int, key: str | UUID, now: datetime, meta: Meta | None = None) -> Transfer:
    """
    Give back what remains of a hold.

    :raises HoldUnknown, HoldClosed, HoldExpired: what it says.
    """
    packed = _meta(meta)
    return _write("ledger_void", key_id(key), _hash("void", hold, packed), hold, now, packed)


def expire(*, hold: int, now: datetime) -> Transfer:
    """
    Give back what remains of a hold whose time is over. Safe to repeat.

    :raises HoldOpen: its time is not over.
    :raises HoldUnknown, HoldClosed: what it says.
    """
    return _write("ledger_expire", hold, now)


def reverse(
    *,
    key: str | UUID,
    now: datetime,
    transfer: int | None = None,
    original_key: str | UUID | None = None,
    amount: Money | None = None,
    effective_at: datetime | None = None,
    meta: Meta | None = None,
) -> Transfer:
    """
    Undo a transfer or a capture, in part or whole (all that is left of it), by a mirrored one. Name the original by its id
    or by its key.

    :raises TransferUnknown, NotReversible: what it says.
    :raises ReversalExceeded: all reversals together would be more than the original.
    :raises InsufficientFunds: the receiver has not that much any more.
    """
    if (transfer is None) == (original_key is None):
        raise ValueError("name the original by its id or by its key")
    packed = _meta(meta)
    original = None if original_key is None else key_id(original_key)
    asked = _hash("reverse", transfer, original, _plain(amount), effective_at, packed)
    return _write("ledger_reverse", key_id(key), asked, transfer, original, *_part(amount), now, effective_at, packed)


def _plain(amount: Money | None) -> list[object] | None:
    return None if amount is None else [amount.amount, amount.currency]


def _part(amount: Money | None) -> tuple[int | None, str | None]:
    """A part of something whose currency the database knows: it compares."""
    return (None, None) if amount is None else (amount_check(amount).amount, amount.currency)


def account_open(*, currency: str, now: datetime, floor: int = 0, ceiling: int | None = None) -> int:
    """A new guarded account: a balance that is checked on every movement (`floor` and `ceiling` in minor units)."""
    with connection.cursor() as cursor:
        arguments: list[Any] = [currency_check(currency), "guarded", now, None, floor]
        if ceiling is not None:
            arguments.append(ceiling)
        cursor.execute(f"SELECT ledger_account_open({','.join(['%s'] * len(arguments))})", arguments)
        return int(cursor.fetchone()[0])


def system_account(code: str, currency: str, *, now: datetime | None = None) -> int:
    """
    The accumulating account of that code ("provider:stripe", "fees") in a currency, made on first use. It keeps entries
    only, no balance row, so any number of movements can use it at once.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_account_open(%s, 'accumulating', %s, %s)", [currency_check(currency), now or clock.now(), code])
        return int(cursor.fetchone()[0])


def account_limit(account: int, *, floor: int | None = None, ceiling: int | None = None) -> None:
    """
    Set a guarded account's floor or ceiling (minor units); None leaves it. A ceiling may be set below the balance: then
    money only goes out.

    :raises InsufficientFunds: the available balance is below the new floor.
    """
    _change("ledger_account_limit", _account(account), floor, ceiling)


def account_close(account: int, *, now: datetime) -> None:
    """
    :raises AccountNotEmpty: it holds money, or money is set aside in it.
    :raises AccountClosed, AccountUnknown: what it says.
    """
    _change("ledger_account_close", _account(account), now)


def _change(function: str, *arguments: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({','.join(['%s'] * len(arguments))})", arguments)
        code = cursor.fetchone()[0]
    if code != "ok":
        raise refusal(code)


def lock(accounts: Iterable[int]) -> None:
    """
    For a transaction that moves money more than once: take all its accounts first, in one order, so that two such
    transactions never wait for each other in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_lock(%s::bigint[])", [sorted(set(accounts))])
