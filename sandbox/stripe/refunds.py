"""Refunds, full and partial; their sum never passes the charge."""

import sqlite3
import time
from dataclasses import dataclass

from sandbox.stripe import currencies, shapes
from sandbox.stripe.cards import RefundOutcome
from sandbox.stripe.errors import Json, ParamInvalid, RequestRefused
from sandbox.stripe.events import Cause, moment_emit
from sandbox.stripe.objects import Stored, object_get, object_insert, object_save, objects_due
from sandbox.stripe.params import Params
from sandbox.world import World

SETTLE_SECONDS = 5.0


@dataclass(frozen=True)
class RefundWish:
    charge: str | None
    intent: str | None
    amount: int | None
    reason: str | None
    metadata: dict[str, str]


def refund_wish_read(params: Params) -> RefundWish:
    """
    :raises ParamInvalid: a parameter is missing, malformed or not known to Stripe.
    """
    wish = RefundWish(
        charge=params.text("charge"),
        intent=params.text("payment_intent"),
        amount=params.integer("amount", least=1),
        reason=params.choice("reason", ("duplicate", "fraudulent", "requested_by_customer")),
        metadata=params.metadata(),
    )
    params.ignore("instructions_email", "reverse_transfer", "refund_application_fee")
    params.done()
    if not wish.charge and not wish.intent:
        raise ParamInvalid("One of the following params should be provided for this request: payment_intent or charge.")
    return wish


def refund_create(db: sqlite3.Connection, world: World, wish: RefundWish, *, cause: Cause) -> Stored:
    """
    :raises ResourceMissing: there is no such charge or payment.
    :raises RequestRefused: the payment has not succeeded, was refunded already, or less than the amount is left.
    """
    charge = _charge_of(db, wish)
    if charge.body["status"] != "succeeded":
        raise RequestRefused(f"Charge {charge.id} is not refundable: its status is {charge.body['status']}.", param="charge")
    left = int(charge.body["amount"]) - int(charge.body["amount_refunded"])
    currency = str(charge.body["currency"])
    if left == 0:
        raise RequestRefused(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
    amount = left if wish.amount is None else wish.amount
    currencies.amount_granularity_check(amount, currency, param="amount")
    if amount > left:
        raise RequestRefused(
            f"Refund amount ({currencies.display(amount, currency)}) is greater than unrefunded amount on charge "
            f"({currencies.display(left, currency)})",
            param="amount",
        )
    outcome = RefundOutcome(charge.private["refund"])
    status = "pending" if outcome == RefundOutcome.PENDING else "succeeded"
    created = world.clock.timestamp()
    body = shapes.refund_shape(
        created=created, charge=charge.body, amount=amount, reason=wish.reason, metadata=wish.metadata, status=status
    )
    body["balance_transaction"] = _transaction_add(db, created, -amount, currency, "refund", body["id"])
    due_at = None if outcome == RefundOutcome.SUCCEEDS else time.time() + SETTLE_SECONDS
    refund = object_insert(db, body, parent=charge.id, private={"outcome": outcome.value}, due_at=due_at)
    _charge_count(db, charge, amount)
    news: list[tuple[str, Json]] = [("refund.created", refund.body), ("charge.refunded", charge.body)]
    if status == "succeeded":
        news.append(("refund.updated", refund.body))
    moment_emit(db, world, news, cause=cause)
    return refund


def _charge_of(db: sqlite3.Connection, wish: RefundWish) -> Stored:
    if wish.intent:
        intent = object_get(db, "payment_intent", wish.intent, param="payment_intent")
        if intent.body["status"] != "succeeded":
            raise RequestRefused(f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.", param="payment_intent")
        if wish.charge and wish.charge != intent.body["latest_charge"]:
            raise RequestRefused("The charge does not belong to the PaymentIntent.", param="charge")
        return object_get(db, "charge", intent.body["latest_charge"], param="charge")
    return object_get(db, "charge", wish.charge or "", param="charge")


def _charge_count(db: sqlite3.Connection, charge: Stored, amount: int) -> None:
    refunded = int(charge.body["amount_refunded"]) + amount
    charge.body.update(amount_refunded=refunded, refunded=refunded == charge.body["amount"])
    object_save(db, charge)


def _transaction_add(db: sqlite3.Connection, created: int, amount: int, currency: str, kind: str, source: str) -> str:
    transaction = shapes.transaction_shape(created=created, amount=amount, fee=0, currency=currency, kind=kind, source=source)
    return object_insert(db, transaction).id


def refunds_settle_due(db: sqlite3.Connection, world: World, *, until: float) -> int:
    due = objects_due(db, "refund", until=until)
    for refund in due:
        _refund_settle(db, world, refund)
    return len(due)


def _refund_settle(db: sqlite3.Connection, world: World, refund: Stored) -> None:
    refund.due_at = None
    if refund.private["outcome"] == RefundOutcome.PENDING:
        refund.body["status"] = "succeeded"
        object_save(db, refund)
        moment_emit(db, world, [("refund.updated", refund.body)])
        return
    charge = object_get(db, "charge", refund.body["charge"])
    amount = int(refund.body["amount"])
    created = world.clock.timestamp()
    back = _transaction_add(db, created, amount, charge.body["currency"], "refund_failure", refund.id)
    refund.body.update(status="failed", failure_reason="lost_or_stolen_card", failure_balance_transaction=back)
    object_save(db, refund)
    _charge_count(db, charge, -amount)
    moment_emit(db, world, [("refund.updated", refund.body), ("refund.failed", refund.body)])
