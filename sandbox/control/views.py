"""`/control/`: JSON for tests, a page for people. The JSON takes application/json only, which no foreign web page can send unasked."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from sandbox.bank.transfers import BankError, transfer_return
from sandbox.control.faults import LATE, PLACES, FaultInvalid, fault_set, faults_all, wish_read
from sandbox.stripe import currencies
from sandbox.stripe.cards import BY_NUMBER, CardInput
from sandbox.stripe.checkout import challenge_answer, session_get, sessions_expire_due
from sandbox.stripe.checkout import session_pay as checkout_pay
from sandbox.stripe.errors import StripeError
from sandbox.stripe.events import (
    Endpoint,
    deliveries_latest,
    delivery_add,
    endpoint_current,
    endpoint_set,
    forgery_add,
    payment_forge,
)
from sandbox.stripe.objects import Stored, object_find, object_get, objects_latest
from sandbox.stripe.params import Params
from sandbox.worker import settle as settle_until
from sandbox.world import world

PAGE_SIZE = 50
MODE_WORDS = {
    "normal": "as it should be",
    "late": "late",
    "lost": "lost",
    "returned": "sent back",
    "duplicate": "sent twice",
    "reordered": "out of order",
    "forged": "with a forged one before each",
    "slow": "slow answer",
    "error_500": "error 500, nothing done",
    "error_500_after_commit": "error 500, but done",
    "rate_limited": "too many requests (429)",
    "timeout_before_commit": "no answer, nothing done",
    "timeout_after_commit": "no answer, but done",
}

Body = dict[str, Any]


class WishInvalid(Exception):
    """The JSON asks for something that does not exist."""


def json_command(view: Callable[..., Body]) -> Callable[..., HttpResponse]:
    """A POST with a JSON object (or nothing) in, JSON out; what is wrong with it answers 400."""

    @csrf_exempt
    @require_http_methods(["POST"])
    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: str) -> HttpResponse:
        if request.content_type != "application/json":
            return _problem("the content type is application/json", status=415)
        try:
            body = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            return _problem("the body is not JSON")
        if not isinstance(body, dict):
            return _problem("the body is a JSON object")
        try:
            return JsonResponse(view(body, **kwargs))
        except (FaultInvalid, WishInvalid) as error:
            return _problem(str(error))
        except (StripeError, BankError) as error:
            return _problem(error.message, status=error.status)

    return wrapped


def _problem(message: str, *, status: int = 400) -> HttpResponse:
    return JsonResponse({"error": {"code": "bad_request", "message": message}}, status=status)


@require_safe
def state(request: HttpRequest) -> HttpResponse:
    return JsonResponse(_state())


def _state() -> Body:
    here = world()
    with here.store.reading() as db:
        current = endpoint_current(db, here)
        waiting = db.execute("SELECT count(*) FROM delivery WHERE state = 'due'").fetchone()[0]
        found = {
            place: {"mode": fault.mode, "seconds": fault.seconds, "remaining": fault.remaining} for place, fault in faults_all(db).items()
        }
    return {
        "now": here.clock.now().isoformat(),
        "faults": found,
        "endpoint": current.url if current else None,
        "deliveries_waiting": waiting,
    }


@json_command
def faults(body: Body) -> Body:
    wish = wish_read(body)
    with world().store.writing() as db:
        for place, fault in wish.items():
            fault_set(db, place, fault)
    return _state()


@json_command
def endpoint(body: Body) -> Body:
    url, secret = body.get("url"), body.get("secret", world().config.webhook_secret)
    if not isinstance(url, str) or not isinstance(secret, str) or not secret.isprintable():
        raise WishInvalid("url and secret are texts")
    Params({"url": url}).url("url")
    with world().store.writing() as db:
        endpoint_set(db, Endpoint(url, secret))
    return _state()


@json_command
def reset(body: Body) -> Body:
    _clear()
    return _state()


def _clear() -> None:
    # Between two sendings: once this is answered, nothing of before arrives any more.
    with world().sending:
        world().store.clear()


@json_command
def settle(body: Body) -> Body:
    """Slow payments and refunds come to their end now."""
    return {"settled": settle_until(world(), until=time.time() + 10**6)}


@json_command
def forge(body: Body) -> Body:
    """`{"session": id}`: a stranger claims it is paid. `{"event": id}`: a stranger repeats an event under his own id."""
    here = world()
    with here.store.writing() as db:
        if isinstance(body.get("session"), str):
            return {"delivery": payment_forge(db, here, session_get(db, here, body["session"]).body)}
        if isinstance(body.get("event"), str):
            return {"delivery": forgery_add(db, object_get(db, "event", body["event"]).body, due_at=time.time())}
    raise WishInvalid("name a session or an event")


@json_command
def resend(body: Body, event_id: str) -> Body:
    return {"delivery": _resend(event_id)}


def _resend(event_id: str) -> int:
    with world().store.writing() as db:
        return delivery_add(db, object_get(db, "event", event_id).id, due_at=time.time())


@json_command
def session_pay(body: Body, session_id: str) -> Body:
    """`{"card": number, "challenge": "approve"|"fail"}`: what a person would do on the hosted page."""
    card = BY_NUMBER.get(str(body.get("card", "4242424242424242")))
    if card is None:
        raise WishInvalid("card is the number of a test card")
    given = CardInput(card, 12, world().clock.now().year + 3, "Test Person")
    with world().store.writing() as db:
        result = checkout_pay(db, world(), session_id, given)
        if result == "challenge" and body.get("challenge") in {"approve", "fail"}:
            result = challenge_answer(db, world(), session_id, approved=body["challenge"] == "approve")
    return {"state": result.value}


@json_command
def bank_return(body: Body, transfer_id: str) -> Body:
    """The other bank sends a transfer back, also one that was settled."""
    here = world()
    with here.store.writing() as db:
        return transfer_return(db, here, transfer_id)


@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    with world().store.reading() as db:
        found = deliveries_latest(db)
        rows = []
        for delivery in found:
            event = object_find(db, "event", delivery.event_id)
            rows.append({**delivery.__dict__, "type": event.body["type"] if event else None})
    return JsonResponse({"deliveries": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    try:
        _act(request.POST)
    except (FaultInvalid, WishInvalid, StripeError) as error:
        return _page(request, problem=str(error), status=400)
    back = "/events/" if request.POST.get("action") == "resend" else "/control/"
    return HttpResponseRedirect(back)


def _page(request: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    places = [
        {"name": place, "modes": [{"name": mode, "words": MODE_WORDS[mode]} for mode in modes], "fault": fault}
        for (place, modes), fault in zip(PLACES.items(), _faults(), strict=True)
    ]
    return render(
        request, "sandbox/control.html", {"places": places, "state": _state(), "problem": problem, "tab": "control"}, status=status
    )


def _faults() -> list[Any]:
    with world().store.reading() as db:
        return list(faults_all(db).values())


def _act(form: Mapping[str, str]) -> None:
    action = form.get("action")
    if action == "fault":
        wish: Body = {form.get("place", ""): form.get("mode", "")}
        for name in ("seconds", "count"):
            if form.get(name):
                wish["late_seconds" if name == "seconds" and form.get("place") in LATE else name] = _number(form[name])
        with world().store.writing() as db:
            for place, fault in wish_read(wish).items():
                fault_set(db, place, fault)
    elif action == "settle":
        settle_until(world(), until=time.time() + 10**6)
    elif action == "reset":
        _clear()
    elif action == "resend":
        _resend(form.get("event", ""))
    else:
        raise WishInvalid("unknown action")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise WishInvalid("seconds and count are whole numbers")
    return int(text)


@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    here = world()
    with here.store.writing() as db:
        sessions_expire_due(db, here)
        found, _ = objects_latest(db, "checkout.session", limit=PAGE_SIZE)
        rows = [_payment_row(session) for session in found]
    return render(request, "sandbox/payments.html", {"rows": rows, "tab": "payments"})


def _payment_row(session: Stored) -> Body:
    body = session.body
    shown = body["payment_status"] if body["status"] == "complete" else body["status"]
    return {
        "id": session.id,
        "amount": currencies.display(body["amount_total"], body["currency"]),
        "what": session.private["lines"][0]["description"],
        "reference": body["client_reference_id"],
        "state": "processing" if shown == "unpaid" else shown,
        "intent": body["payment_intent"],
        "open": body["status"] == "open",
        "created": _moment(body["created"]),
    }


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    with world().store.reading() as db:
        found, _ = objects_latest(db, "event", limit=PAGE_SIZE)
        sent = deliveries_latest(db, event_ids=[event.id for event in found], limit=1000)
    rows = [
        {
            "id": event.id,
            "type": event.body["type"],
            "subject": event.parent,
            "created": _moment(event.body["created"]),
            "deliveries": [delivery for delivery in reversed(sent) if delivery.event_id == event.id],
        }
        for event in found
    ]
    return render(request, "sandbox/events.html", {"rows": rows, "state": _state(), "tab": "events"})


def _moment(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
