"""The life of a Checkout Session: created, paid (or declined, challenged, processing), expired."""

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum

from sandbox.stripe import currencies, shapes
from sandbox.stripe.cards import CHALLENGE_FAILED, GENERIC_DECLINE, CardInput, Decline, Outcome
from sandbox.stripe.errors import Json, ParamInvalid, RequestRefused
from sandbox.stripe.events import NO_REQUEST, Cause, moment_emit
from sandbox.stripe.objects import Stored, id_make, object_get, object_insert, object_save, objects_due
from sandbox.stripe.params import Params
from sandbox.world import World

LIFE_SECONDS = 24 * 3600
LIFE_LEAST_SECONDS = 30 * 60
LATE_SECONDS = 8.0
LINES_MAX = 100

_TEXTS = ("description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix", "transfer_group")


class PayState(StrEnum):
    PAID = "paid"
    PROCESSING = "processing"
    DECLINED = "declined"
    CHALLENGE = "challenge"
    CLOSED = "closed"


@dataclass(frozen=True)
class SessionWish:
    fields: Json
    lines: list[Json]
    intent: Json
    expires_at: int | None


def session_wish_read(params: Params, *, created: int) -> SessionWish:
    """
    :raises ParamInvalid: a parameter is missing, malformed or not known to Stripe.
    """
    mode = params.choice("mode", ("payment", "setup", "subscription")) or "payment"
    ui_mode = (
        params.choice("ui_mode", ("hosted", "hosted_page", "embedded", "embedded_page", "custom", "elements", "form")) or "hosted_page"
    )
    if mode != "payment" or not ui_mode.startswith("hosted"):
        raise ParamInvalid("The sandbox serves payment mode on its hosted page only.", param="mode" if mode != "payment" else "ui_mode")
    success_url = params.url("success_url")
    if success_url is None:
        raise params.missing("success_url")
    fields: Json = {
        "success_url": success_url,
        "cancel_url": params.url("cancel_url"),
        "client_reference_id": params.text("client_reference_id", longest=200),
        "customer_email": params.text("customer_email", longest=512),
        "locale": params.text("locale", longest=10),
        "metadata": params.metadata(),
        "submit_type": params.choice("submit_type", ("auto", "book", "donate", "pay", "subscribe")),
    }
    intent = _intent_wish_read(params)
    expires_at = params.integer("expires_at")
    lines = _lines_read(params, created=created)
    currency = str(lines[0]["currency"])
    total = sum(int(line["amount_total"]) for line in lines)
    params.ignore(
        "payment_method_types",
        "allowed_payment_method_types",
        "billing_address_collection",
        "customer_creation",
        "allow_promotion_codes",
        "automatic_tax",
    )
    params.ignore("phone_number_collection", "payment_method_options", "custom_text", "branding_settings", "origin_context", "currency")
    params.ignore("adaptive_pricing", "integration_identifier", "name_collection", "wallet_options", "payment_method_collection")
    params.done()
    _expiry_check(expires_at, created)
    currencies.total_check(total, currency)
    return SessionWish({**fields, "currency": currency, "amount_total": total}, lines, intent, expires_at)


def _intent_wish_read(params: Params) -> Json:
    data = params.hash("payment_intent_data")
    if data is None:
        return {}
    result: Json = {name: data.text(name, longest=1000) for name in _TEXTS}
    result["metadata"] = data.metadata()
    if (data.choice("capture_method", ("automatic", "automatic_async", "manual")) or "automatic") == "manual":
        raise ParamInvalid("The sandbox captures automatically only.", param=data.name("capture_method"))
    data.done()
    return result


def _lines_read(params: Params, *, created: int) -> list[Json]:
    items = params.items("line_items")
    if not items:
        raise params.missing("line_items")
    if len(items) > LINES_MAX:
        raise ParamInvalid(f"You may not specify more than {LINES_MAX} line items.", param="line_items")
    lines = [_line_read(item, created=created) for item in items]
    if len({line["currency"] for line in lines}) > 1:
        raise ParamInvalid("All line items must have the same currency.", param="line_items")
    return lines


def _line_read(item: Params, *, created: int) -> Json:
    quantity = item.integer("quantity", least=1, most=999_999)
    if quantity is None:
        raise item.missing("quantity")
    if item.text("price") is not None:
        raise ParamInvalid("The sandbox keeps no prices: use price_data.", param=item.name("price"))
    price = item.hash("price_data")
    if price is None:
        raise item.missing("price_data")
    currency = currencies.currency_check(price.text_required("currency", longest=20), param=price.name("currency"))
    unit = _unit_amount_read(price)
    total = int((unit * quantity).quantize(Decimal(1), ROUND_HALF_UP))
    currencies.amount_granularity_check(total, currency, param=price.name("unit_amount"))
    name = _product_name_read(price)
    price.ignore("tax_behavior")
    price.done()
    item.ignore("adjustable_quantity", "metadata", "tax_rates")
    item.done()
    whole = int(unit) if unit == unit.to_integral_value() else None
    return shapes.line_item_shape(
        created=created,
        currency=currency,
        name=name,
        unit_amount=whole,
        unit_decimal=f"{unit.normalize():f}",
        quantity=quantity,
        total=total,
    )


def _unit_amount_read(price: Params) -> Decimal:
    whole = price.integer("unit_amount", least=0)
    fine = price.text("unit_amount_decimal", longest=30)
    if (whole is None) == (fine is None):
        if whole is None:
            raise price.missing("unit_amount")
        raise ParamInvalid(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.", param=price.name("unit_amount")
        )
    if whole is not None:
        return Decimal(whole)
    try:
        unit = Decimal(fine or "")
    except InvalidOperation:
        unit = Decimal("NaN")
    if not unit.is_finite() or not 0 <= unit <= currencies.AMOUNT_MAX or unit != round(unit, 12):
        raise ParamInvalid("Invalid decimal.", code="parameter_invalid_integer", param=price.name("unit_amount_decimal"))
    return unit


def _product_name_read(price: Params) -> str:
    product = price.hash("product_data")
    if product is None:
        raise price.missing("product_data")
    name = product.text_required("name")
    product.text("description", longest=40_000)
    product.metadata()
    product.ignore("images", "tax_code", "unit_label")
    product.done()
    return name


def _expiry_check(expires_at: int | None, created: int) -> None:
    if expires_at is None:
        return
    if expires_at - created > LIFE_SECONDS:
        raise ParamInvalid("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at")
    if expires_at - created < LIFE_LEAST_SECONDS:
        raise ParamInvalid("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at")


def session_create(db: sqlite3.Connection, world: World, wish: SessionWish, *, created: int) -> Stored:
    session_id = id_make("checkout.session")
    expires_at = wish.expires_at or created + LIFE_SECONDS
    body = shapes.session_shape(
        created=created, url=f"{world.config.public_url}/pay/{session_id}", session_id=session_id, expires_at=expires_at, **wish.fields
    )
    return object_insert(db, body, private={"lines": wish.lines, "intent": wish.intent}, due_at=expires_at)


def session_get(db: sqlite3.Connection, world: World, session_id: str) -> Stored:
    """
    The session as it is now: one whose time is over has expired, also when nobody has looked since.

    :raises ResourceMissing: there is no such session.
    """
    session = object_get(db, "checkout.session", session_id, param="session")
    if session.body["status"] == "open" and session.body["expires_at"] <= world.clock.timestamp():
        _session_close(db, world, session, NO_REQUEST)
    return session


def session_expire(db: sqlite3.Connection, world: World, session_id: str, *, cause: Cause) -> Stored:
    """
    :raises RequestRefused: the session is not open any more.
    """
    session = session_get(db, world, session_id)
    if session.body["status"] != "open":
        raise RequestRefused(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session.body['status']}`."
        )
    _session_close(db, world, session, cause)
    return session


def sessions_expire_due(db: sqlite3.Connection, world: World) -> int:
    due = objects_due(db, "checkout.session", until=world.clock.now().timestamp())
    for session in due:
        _session_close(db, world, session, NO_REQUEST)
    return len(due)


def _session_close(db: sqlite3.Connection, world: World, session: Stored, cause: Cause) -> None:
    session.body.update(status="expired", url=None)
    session.due_at = None
    object_save(db, session)
    news: list[tuple[str, Json]] = []
    if session.body["payment_intent"]:
        intent = object_get(db, "payment_intent", session.body["payment_intent"])
        intent.body.update(status="canceled", canceled_at=world.clock.timestamp(), cancellation_reason="automatic", next_action=None)
        object_save(db, intent)
        news.append(("payment_intent.canceled", intent.body))
    moment_emit(db, world, [*news, ("checkout.session.expired", session.body)], cause=cause)


def session_pay(db: sqlite3.Connection, world: World, session_id: str, given: CardInput) -> PayState:
    """A person presses Pay on the hosted page."""
    session = session_get(db, world, session_id)
    if session.body["status"] != "open":
        return PayState.CLOSED
    intent, news = _intent_of(db, world, session)
    card = shapes.card_private(given)
    intent.private = {"card": card}
    intent.body.update(payment_method=card["payment_method"], last_payment_error=None, next_action=None)
    if given.card.outcome == Outcome.CHALLENGE:
        url = f"{world.config.public_url}/pay/{session_id}/challenge"
        intent.body.update(
            status="requires_action", next_action={"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": url}}
        )
        object_save(db, intent)
        moment_emit(db, world, [*news, ("payment_intent.requires_action", intent.body)])
        return PayState.CHALLENGE
    if given.card.outcome == Outcome.DECLINED:
        _declined(db, world, intent, given.card.decline or GENERIC_DECLINE, news)
        return PayState.DECLINED
    if given.card.outcome in {Outcome.LATE, Outcome.LATE_FAILURE}:
        intent.private["fails"] = given.card.outcome == Outcome.LATE_FAILURE
        _processing(db, world, session, intent, news)
        return PayState.PROCESSING
    _succeeded(db, world, session, intent, news, authenticated=False)
    return PayState.PAID


def challenge_answer(db: sqlite3.Connection, world: World, session_id: str, *, approved: bool) -> PayState:
    """A person answers the bank's question on the 3-D Secure page."""
    session = session_get(db, world, session_id)
    intent = intent_of_session(db, session)
    if session.body["status"] != "open" or intent is None or intent.body["status"] != "requires_action":
        return PayState.CLOSED
    intent.body["next_action"] = None
    if not approved:
        _declined(db, world, intent, CHALLENGE_FAILED, [])
        return PayState.DECLINED
    _succeeded(db, world, session, intent, [], authenticated=True)
    return PayState.PAID


def intent_of_session(db: sqlite3.Connection, session: Stored) -> Stored | None:
    intent_id = session.body["payment_intent"]
    return object_get(db, "payment_intent", intent_id) if intent_id else None


def _intent_of(db: sqlite3.Connection, world: World, session: Stored) -> tuple[Stored, list[tuple[str, Json]]]:
    intent = intent_of_session(db, session)
    if intent is not None:
        return intent, []
    body = shapes.intent_shape(
        created=world.clock.timestamp(),
        amount=session.body["amount_total"],
        currency=session.body["currency"],
        data=session.private["intent"],
    )
    session.body["payment_intent"] = body["id"]
    object_save(db, session)
    return object_insert(db, body, parent=session.id), [("payment_intent.created", dict(body))]


def _charge_add(
    db: sqlite3.Connection, world: World, intent: Stored, *, status: str, authenticated: bool = False, decline: Decline | None = None
) -> Stored:
    body = shapes.charge_shape(
        created=world.clock.timestamp(),
        intent=intent.body,
        card=intent.private["card"],
        status=status,
        authenticated=authenticated,
        decline=decline,
    )
    intent.body["latest_charge"] = body["id"]
    charge = object_insert(db, body, parent=intent.id, private={"refund": intent.private["card"]["refund"]})
    if status == "succeeded":
        _charge_settle(db, world, charge)
    return charge


def _charge_settle(db: sqlite3.Connection, world: World, charge: Stored) -> None:
    amount = int(charge.body["amount"])
    transaction = shapes.transaction_shape(
        created=world.clock.timestamp(),
        amount=amount,
        fee=amount * 15 // 1000,
        currency=charge.body["currency"],
        kind="charge",
        source=charge.id,
    )
    object_insert(db, transaction)
    charge.body.update(status="succeeded", paid=True, captured=True, amount_captured=amount, balance_transaction=transaction["id"])
    object_save(db, charge)


def _session_complete(db: sqlite3.Connection, session: Stored, intent: Stored, *, payment_status: str) -> None:
    details = {"address": None, "email": session.body["customer_email"], "name": intent.private["card"]["holder"], "phone": None}
    session.body.update(
        status="complete",
        payment_status=payment_status,
        url=None,
        customer_details={**details, "business_name": None, "individual_name": None, "tax_exempt": "none", "tax_ids": []},
    )
    session.due_at = None
    object_save(db, session)


def _succeeded(
    db: sqlite3.Connection, world: World, session: Stored, intent: Stored, news: list[tuple[str, Json]], *, authenticated: bool
) -> None:
    charge = _charge_add(db, world, intent, status="succeeded", authenticated=authenticated)
    intent.body.update(status="succeeded", amount_received=intent.body["amount"])
    object_save(db, intent)
    _session_complete(db, session, intent, payment_status="paid")
    paid = [("charge.succeeded", charge.body), ("payment_intent.succeeded", intent.body), ("checkout.session.completed", session.body)]
    moment_emit(db, world, [*news, *paid])


def _declined(db: sqlite3.Connection, world: World, intent: Stored, decline: Decline, news: list[tuple[str, Json]]) -> None:
    failed: list[tuple[str, Json]] = []
    charge_id = None
    # A failed challenge never reaches the bank, so it leaves no charge.
    if decline is not CHALLENGE_FAILED:
        charge = _charge_add(db, world, intent, status="failed", decline=decline)
        charge_id = charge.id
        failed.append(("charge.failed", charge.body))
    intent.body.update(
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=shapes.payment_error_shape(decline, charge_id=charge_id),
    )
    object_save(db, intent)
    moment_emit(db, world, [*news, *failed, ("payment_intent.payment_failed", intent.body)])


def _processing(db: sqlite3.Connection, world: World, session: Stored, intent: Stored, news: list[tuple[str, Json]]) -> None:
    charge = _charge_add(db, world, intent, status="pending")
    intent.body.update(status="processing", processing={"card": {"customer_notification": None}, "type": "card"})
    intent.due_at = time.time() + LATE_SECONDS
    object_save(db, intent)
    _session_complete(db, session, intent, payment_status="unpaid")
    started = [
        ("charge.pending", charge.body),
        ("payment_intent.processing", intent.body),
        ("checkout.session.completed", session.body),
    ]
    moment_emit(db, world, [*news, *started])


def intents_settle_due(db: sqlite3.Connection, world: World, *, until: float) -> int:
    due = objects_due(db, "payment_intent", until=until)
    for intent in due:
        _intent_settle(db, world, intent)
    return len(due)


def _intent_settle(db: sqlite3.Connection, world: World, intent: Stored) -> None:
    session = object_get(db, "checkout.session", intent.parent or "")
    charge = object_get(db, "charge", intent.body["latest_charge"])
    intent.due_at = None
    intent.body["processing"] = None
    if intent.private["fails"]:
        decline = GENERIC_DECLINE
        charge.body.update(status="failed", failure_code=decline.code, failure_message=decline.message)
        object_save(db, charge)
        intent.body.update(
            status="requires_payment_method",
            payment_method=None,
            last_payment_error=shapes.payment_error_shape(decline, charge_id=charge.id),
        )
        object_save(db, intent)
        failed = [("charge.failed", charge.body), ("payment_intent.payment_failed", intent.body)]
        moment_emit(db, world, [*failed, ("checkout.session.async_payment_failed", session.body)])
        return
    _charge_settle(db, world, charge)
    intent.body.update(status="succeeded", amount_received=intent.body["amount"])
    object_save(db, intent)
    session.body["payment_status"] = "paid"
    object_save(db, session)
    paid = [("charge.succeeded", charge.body), ("payment_intent.succeeded", intent.body)]
    moment_emit(db, world, [*paid, ("checkout.session.async_payment_succeeded", session.body)])


def return_url(session: Mapping[str, object]) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", str(session["id"]))
