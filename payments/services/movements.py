"""What the services of payments share: the answer, replaying a client's key, counting and the balance ceiling."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.urls import NoReverseMatch, reverse

from compliance import limits
from compliance.models import Direction
from core import crypto
from core.idempotency import IdempotencyConflict, key_check
from core.money import CurrencyMismatch, Money
from payments.errors import NoteTooLong
from payments.models import NOTE_MAX, OPEN_AT_PROVIDER, Kind, Payment, State
from wallets import selectors as wallets
from wallets.errors import WalletClosed
from wallets.models import Wallet


class Outcome(Enum):
    POSTED = "posted"
    REQUIRES_APPROVAL = "requires_approval"
    HELD = "held"
    OTHER = "other"
    """The first answer is replayed and the payment has moved on since (cancelled, expired, failed, waiting)."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What became of a request to move money. `replayed` says that this key had already been answered."""

    payment: Payment
    replayed: bool = False

    @property
    def outcome(self) -> Outcome:
        state = State(self.payment.state)
        if state in (State.POSTED, State.REVERSED, State.REFUNDED):
            return Outcome.POSTED
        if state is State.REQUIRES_APPROVAL:
            return Outcome.REQUIRES_APPROVAL
        return Outcome.HELD if state is State.HELD else Outcome.OTHER

    @property
    def approval_id(self) -> UUID | None:
        return self.payment.approval_id


def request_hash(**asked: object) -> bytes:
    """Keyed, because a note is short enough to be guessed from a plain hash."""
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(crypto.blind_index("payments.payment.request", text)).digest()


def replayed(*, party_id: UUID, key: str, asked: bytes) -> Payment | None:
    """
    The payment this key has already made, if any.

    :raises IdempotencyKeyInvalid: not 1 to 255 visible ASCII characters.
    :raises IdempotencyConflict: it was made from another request.
    """
    key_check(key)
    found = Payment.objects.filter(party_id=party_id, idempotency_key=key).first()
    if found is not None and not hmac.compare_digest(bytes(found.request_hash), asked):
        raise IdempotencyConflict()
    return found


def note_check(note: str) -> None:
    """:raises NoteTooLong: more than 140 characters."""
    if len(note.strip()) > NOTE_MAX:
        raise NoteTooLong(limit=NOTE_MAX)


def source_check(source: Wallet, amount: Money) -> None:
    """:raises WalletClosed, CurrencyMismatch: the wallet cannot be paid from, or not in this currency."""
    if source.state != Wallet.State.OPEN:
        raise WalletClosed()
    if source.currency != amount.currency:
        raise CurrencyMismatch(field="amount", expected=source.currency, found=amount.currency)


def payment_page(payment: Payment) -> str:
    """Where the approval page goes on to."""
    try:
        return reverse("payment", args=[payment.id])
    except NoReverseMatch:
        return ""


def count(payment: Payment, party_id: UUID, *, direction: Direction, now: datetime, rules: limits.Rules | None = None) -> None:
    """Count the payment against its party's limits and remember with the payment what was counted."""
    counted = limits.usage_raise(party_id, payment.amount, direction=direction, now=now, rules=rules)
    payment.counted_minor, payment.counted_at = counted.amount, now


def uncount(payment: Payment, party_id: UUID, *, direction: Direction, part: Money | None = None) -> None:
    """
    Give back what the payment had used of its limits, or the share that `part` is of its amount.

    A full give-back forgets the counted amount, so that it cannot be given back twice.
    """
    if payment.counted_minor is None or payment.counted_at is None:
        return
    given = payment.counted_minor if part is None else payment.counted_minor * part.amount // payment.amount_minor
    limits.usage_lower(party_id, Money(given, settings.HUB_REFERENCE_CURRENCY), direction=direction, at=payment.counted_at)
    if part is None:
        payment.counted_minor = payment.counted_at = None


def balance_room_check(party_id: UUID, amount: Money, *, now: datetime, rules: limits.Rules | None = None) -> None:
    """
    Whether the party may hold this much more, all its wallets and its top-ups under way taken together.

    Payers of one payee wait here for each other, so that two of them cannot use the same room.

    :raises LimitExceeded: window "balance".
    :raises RateMissing: one of the balances cannot be put into the reference currency.
    """
    limit = limits.balance_limit(party_id, now, rules)
    if limit is not None:
        limits.balance_within(limit, limits.reference(amount) + rooms_used([party_id])[party_id])


def rooms_used(party_ids: Collection[UUID]) -> dict[UUID, Money]:
    """
    What each party holds and has on its way by top-ups, in the reference currency. Nobody else may ask this of the same
    parties until the transaction ends.

    :raises RateMissing: one of the balances cannot be put into the reference currency.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(place, 0)) FROM unnest(%s::text[]) AS place",
            [[f"payments:balance:{party_id}" for party_id in sorted(party_ids)]],
        )
    held = wallets.held_by(party_ids)
    coming = Payment.objects.filter(payee_party_id__in=party_ids, kind=Kind.TOP_UP, state__in=OPEN_AT_PROVIDER)
    for party_id, minor, currency in coming.values_list("payee_party_id", "amount_minor", "currency"):
        assert party_id is not None
        held[party_id].append(Money(minor, currency))
    zero = Money(0, settings.HUB_REFERENCE_CURRENCY)
    return {party_id: sum((limits.reference(money) for money in each if money), start=zero) for party_id, each in held.items()}
