"""Single movements: transfers, holds and what becomes of them, reversals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import due
from core.money import Money, amount_check
from wallets.ledger.calls import Meta, Transfer, account_check, key_hex, key_id, meta_pack, post_hash, request_hash, write


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
    packed = meta_pack(meta)
    return write(
        "ledger_post",
        key_hex(key),
        post_hash(debit, credit, amount.amount, amount.currency, effective_at, packed),
        account_check(debit),
        account_check(credit),
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
    packed = meta_pack(meta)
    found = write(
        "ledger_hold",
        key_hex(key),
        request_hash("hold", debit, credit, amount.amount, amount.currency, expires_at, packed),
        account_check(debit),
        account_check(credit),
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
    packed = meta_pack(meta)
    return write(
        "ledger_capture",
        key_hex(key),
        request_hash("capture", hold, _plain(amount), final, effective_at, packed),
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
    packed = meta_pack(meta)
    return write("ledger_void", key_hex(key), request_hash("void", hold, packed), hold, now, packed)


def expire(*, hold: int, now: datetime) -> Transfer:
    """
    Give back what remains of a hold whose time is over. Safe to repeat.

    :raises HoldOpen: its time is not over.
    :raises HoldUnknown, HoldClosed: what it says.
    """
    return write("ledger_expire", hold, now)


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
    packed = meta_pack(meta)
    original = None if original_key is None else key_id(original_key)
    asked = request_hash("reverse", transfer, original, _plain(amount), effective_at, packed)
    return write("ledger_reverse", key_hex(key), asked, transfer, original, *_part(amount), now, effective_at, packed)


def _plain(amount: Money | None) -> list[object] | None:
    return None if amount is None else [amount.amount, amount.currency]


def _part(amount: Money | None) -> tuple[int | None, str | None]:
    """A part of something whose currency the database knows: it compares."""
    return (None, None) if amount is None else (amount_check(amount).amount, amount.currency)
