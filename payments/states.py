"""Where a payment's state may go. Only forward: what is not in the table does not happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from payments.errors import MoveForbidden
from payments.models import SETTLED, Kind, Payment, PaymentStep, State

_AT_PROVIDER = frozenset({State.WAITING, State.POSTED, State.FAILED})

MOVES: Final[Mapping[Kind, Mapping[State | None, frozenset[State]]]] = MappingProxyType(
    {
        Kind.TRANSFER: {
            None: frozenset({State.POSTED, State.REQUIRES_APPROVAL, State.HELD}),
            State.REQUIRES_APPROVAL: frozenset({State.POSTED, State.HELD, State.EXPIRED, State.CANCELLED}),
            State.HELD: frozenset({State.POSTED, State.CANCELLED}),
            State.POSTED: frozenset({State.REVERSED}),
        },
        Kind.TOP_UP: {
            None: frozenset({State.PENDING}),
            State.PENDING: _AT_PROVIDER | {State.UNKNOWN, State.HELD, State.EXPIRED},
            State.UNKNOWN: _AT_PROVIDER | {State.HELD, State.EXPIRED},
            State.WAITING: frozenset({State.POSTED, State.HELD, State.FAILED, State.EXPIRED}),
            # The provider says "paid" after we gave up: the money is there, so it is never dropped.
            State.FAILED: frozenset({State.POSTED, State.HELD}),
            State.EXPIRED: frozenset({State.POSTED, State.HELD}),
            # Cancelled: staff have found that nothing is owed to the party.
            State.HELD: frozenset({State.POSTED, State.REFUNDED, State.CANCELLED}),
            State.POSTED: frozenset({State.REFUNDED}),
        },
        Kind.REFUND: {
            None: frozenset({State.PENDING}),
            State.PENDING: _AT_PROVIDER | {State.UNKNOWN},
            State.UNKNOWN: _AT_PROVIDER,
            State.WAITING: frozenset({State.POSTED, State.FAILED}),
            # The card's bank may send a refund back days later.
            State.POSTED: frozenset({State.FAILED}),
        },
        Kind.REVERSAL: {None: frozenset({State.POSTED})},
        Kind.PAYOUT: {
            None: frozenset({State.PENDING, State.REQUIRES_APPROVAL, State.HELD}),
            State.REQUIRES_APPROVAL: frozenset({State.PENDING, State.HELD, State.EXPIRED, State.CANCELLED}),
            State.HELD: frozenset({State.PENDING, State.CANCELLED}),
            State.PENDING: _AT_PROVIDER | {State.UNKNOWN},
            State.UNKNOWN: _AT_PROVIDER,
            State.WAITING: frozenset({State.POSTED, State.FAILED}),
            # The other bank may send it back days later.
            State.POSTED: frozenset({State.FAILED}),
        },
    }
)


def may_move(kind: str, start: str | None, end: str) -> bool:
    return State(end) in MOVES[Kind(kind)].get(State(start) if start is not None else None, frozenset())


def begin(payment: Payment, *, now: datetime) -> Payment:
    """
    Save a new payment in the state it carries, with the first line of its timeline.

    :raises MoveForbidden: a payment of this kind does not begin there.
    """
    begin_all([payment], now=now)
    return payment


def begin_all(payments: Sequence[Payment], *, now: datetime) -> None:
    """
    The same for many.

    :raises MoveForbidden: a payment of this kind does not begin there.
    """
    for payment in payments:
        if not may_move(payment.kind, None, payment.state):
            raise MoveForbidden(f"{payment.kind} cannot begin as {payment.state}")
        if payment.state in SETTLED:
            payment.settled_at = now
    Payment.objects.bulk_create(payments)
    PaymentStep.objects.bulk_create(
        [PaymentStep(payment=payment, at=now, state=payment.state, code=payment.failure_code) for payment in payments]
    )


def move(payment: Payment, to: State, *, now: datetime, code: str = "") -> Payment:
    """
    Move a payment whose row the caller has locked, and write the line of its timeline.

    :raises MoveForbidden: the table has no such move.
    """
    if not may_move(payment.kind, payment.state, to):
        raise MoveForbidden(f"{payment.kind} {payment.id}: {payment.state} to {to}")
    payment.state = to
    payment.failure_code = code if to not in SETTLED else ""
    if to in SETTLED and payment.settled_at is None:
        payment.settled_at = now
    payment.save()
    PaymentStep.objects.create(payment=payment, at=now, state=to, code=code)
    return payment
