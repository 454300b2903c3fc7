"""`/v1/...`: one entry that knows keys, idempotency and faults, and one small handler per endpoint."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from sandbox.control.faults import Fault, fault_take
from sandbox.server import Silence
from sandbox.stripe import checkout, idempotency, refunds
from sandbox.stripe.errors import Json, ParamInvalid, RateLimited, ServerError, StripeError, Unauthorized, UrlUnknown
from sandbox.stripe.events import Cause, deliveries_pending
from sandbox.stripe.expand import expand, lines_list
from sandbox.stripe.objects import Condition, Stored, id_make, object_get, objects_latest
from sandbox.stripe.params import Params, decode
from sandbox.stripe.shapes import API_VERSION
from sandbox.world import World, world


@dataclass
class Call:
    """One request while it is executed, inside its transaction."""

    db: sqlite3.Connection
    world: World
    params: Params
    cause: Cause
    object_id: str = ""


Handler = Callable[[Call], Json]
_SPAN_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def session_create(call: Call) -> Json:
    created = call.world.clock.timestamp()
    wish = checkout.session_wish_read(call.params, created=created)
    return checkout.session_create(call.db, call.world, wish, created=created).body


def session_retrieve(call: Call) -> Json:
    call.params.done()
    return checkout.session_get(call.db, call.world, call.object_id).body


def session_expire(call: Call) -> Json:
    call.params.done()
    return checkout.session_expire(call.db, call.world, call.object_id, cause=call.cause).body


def session_lines(call: Call) -> Json:
    call.params.ignore("limit", "starting_after", "ending_before")
    call.params.done()
    return lines_list(checkout.session_get(call.db, call.world, call.object_id))


def session_list(call: Call) -> Json:
    checkout.sessions_expire_due(call.db, call.world)
    return _list(call, "checkout.session", "/v1/checkout/sessions", ("payment_intent", "status"))


def refund_create(call: Call) -> Json:
    return refunds.refund_create(call.db, call.world, refunds.refund_wish_read(call.params), cause=call.cause).body


def event_retrieve(call: Call) -> Json:
    call.params.done()
    return _event_body(call, object_get(call.db, "event", call.object_id))


def event_list(call: Call) -> Json:
    kinds = call.params.texts("types")
    answer = _list(call, "event", "/v1/events", ("type",), where=[("type", "IN", json.dumps(kinds))] if kinds else [])
    for body in answer["data"]:
        body["pending_webhooks"] = deliveries_pending(call.db, body["id"])
    return answer


def _event_body(call: Call, event: Stored) -> Json:
    return {**event.body, "pending_webhooks": deliveries_pending(call.db, event.id)}


def balance_retrieve(call: Call) -> Json:
    call.params.done()
    rows = call.db.execute(
        "SELECT json_extract(body, '$.currency') AS currency, sum(json_extract(body, '$.net')) AS net "
        "FROM stripe_object WHERE kind = 'balance_transaction' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    available = [{"amount": row["net"], "currency": row["currency"], "source_types": {"card": row["net"]}} for row in rows]
    return {"object": "balance", "available": available, "livemode": False, "pending": []}


def _retrieve(kind: str, param: str = "id") -> Handler:
    def handler(call: Call) -> Json:
        call.params.ignore("client_secret")
        call.params.done()
        return object_get(call.db, kind, call.object_id, param=param).body

    return handler


def _listing(kind: str, url: str, filters: tuple[str, ...]) -> Handler:
    return lambda call: _list(call, kind, url, filters)


def _list(call: Call, kind: str, url: str, filters: tuple[str, ...], *, where: Sequence[Condition] = ()) -> Json:
    params = call.params
    limit = params.integer("limit", least=1, most=100) or 10
    conditions = [*where, *_created_read(params)]
    conditions += [(name, "=", value) for name in filters if (value := params.text(name)) is not None]
    before, after = _cursor(call, kind, "starting_after"), _cursor(call, kind, "ending_before")
    params.done()
    found, more = objects_latest(call.db, kind, limit=limit, before=before, after=after, where=conditions)
    return {"object": "list", "data": [stored.body for stored in found], "has_more": more, "url": url}


def _created_read(params: Params) -> list[Condition]:
    """A moment (`created=5`) or a span (`created[gte]=5`)."""
    if not params.is_hash("created"):
        moment = params.integer("created")
        return [] if moment is None else [("created", "=", moment)]
    span = params.hash("created") or Params({})
    bounds = [("created", sign, span.integer(name)) for name, sign in _SPAN_SIGNS.items()]
    span.done()
    return [(path, sign, bound) for path, sign, bound in bounds if bound is not None]


def _cursor(call: Call, kind: str, name: str) -> int | None:
    object_id = call.params.text(name)
    if object_id is None:
        return None
    return object_get(call.db, kind, object_id, param=name).seq


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    # Which fault applies; None for endpoints that never misbehave.
    place: str | None


def _route(method: str, path: str, handler: Handler, place: str | None) -> Route:
    pattern = re.escape(path).replace(r"\{id\}", r"(?P<id>[A-Za-z0-9_]{1,255})")
    return Route(method, re.compile(pattern), handler, place)


ROUTES = (
    _route("POST", "checkout/sessions", session_create, "create"),
    _route("GET", "checkout/sessions", session_list, "retrieve"),
    _route("GET", "checkout/sessions/{id}", session_retrieve, "retrieve"),
    _route("GET", "checkout/sessions/{id}/line_items", session_lines, "retrieve"),
    _route("POST", "checkout/sessions/{id}/expire", session_expire, None),
    _route("GET", "payment_intents", _listing("payment_intent", "/v1/payment_intents", ()), "retrieve"),
    _route("GET", "payment_intents/{id}", _retrieve("payment_intent", "intent"), "retrieve"),
    _route("GET", "charges", _listing("charge", "/v1/charges", ("payment_intent", "transfer_group")), "retrieve"),
    _route("GET", "charges/{id}", _retrieve("charge"), "retrieve"),
    _route("POST", "refunds", refund_create, "refund"),
    _route("GET", "refunds", _listing("refund", "/v1/refunds", ("charge", "payment_intent")), "retrieve"),
    _route("GET", "refunds/{id}", _retrieve("refund"), "retrieve"),
    _route("GET", "events", event_list, "retrieve"),
    _route("GET", "events/{id}", event_retrieve, "retrieve"),
    _route("GET", "balance", balance_retrieve, "retrieve"),
    _route(
        "GET", "balance_transactions", _listing("balance_transaction", "/v1/balance_transactions", ("source", "type", "currency")), None
    ),
    _route("GET", "balance_transactions/{id}", _retrieve("balance_transaction"), None),
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    request_id: str
    replayed_from: str | None = None


@csrf_exempt
def entry(request: HttpRequest, path: str) -> HttpResponse:
    here = world()
    request_id = id_make("request")
    fault = Fault()
    try:
        account = _account_of(request, here)
        route, object_id = _route_find(request, path)
        fault = _fault_take(here, route)
        _fault_before(fault)
        if fault.mode == "timeout_before_commit":
            return Silence(fault.seconds)
        answer = _answer(request, here, route, object_id, account, request_id, fault)
    except StripeError as error:
        answer = _error_answer(error, request_id)
    if fault.mode == "timeout_after_commit":
        return Silence(fault.seconds)
    return _response(request, answer)


def _fault_take(here: World, route: Route) -> Fault:
    if route.place is None:
        return Fault()
    with here.store.writing() as db:
        return fault_take(db, route.place)


def _fault_before(fault: Fault) -> None:
    if fault.mode == "error_500":
        raise ServerError("An unknown error occurred (a fault of the sandbox; nothing was done).")
    if fault.mode == "rate_limited":
        raise RateLimited("Request rate limit exceeded (a fault of the sandbox).", code="rate_limit")


def _account_of(request: HttpRequest, here: World) -> str:
    key = _key_of(request.headers.get("Authorization", ""))
    if not key:
        raise Unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
            "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    expected = here.config.api_key
    known = hmac.compare_digest(key.encode(), expected.encode()) if expected else key.startswith("sk_test_")
    if not known:
        # Never the whole key: it might be a live one.
        raise Unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * 12}{key[-4:] if len(key) > 16 else ''}")
    return hashlib.sha256(key.encode()).hexdigest()


def _key_of(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _route_find(request: HttpRequest, path: str) -> tuple[Route, str]:
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match and route.method == request.method:
            return route, match.groupdict().get("id", "")
    raise UrlUnknown(f"Unrecognized request URL ({request.method}: /v1/{path[:200]}).")


def _answer(request: HttpRequest, here: World, route: Route, object_id: str, account: str, request_id: str, fault: Fault) -> Answer:
    try:
        raw = request.body.decode("ascii") if route.method == "POST" else request.META.get("QUERY_STRING", "")
    except UnicodeDecodeError as error:
        raise ParamInvalid("The request's parameters could not be read.") from error
    tree = decode(raw)
    key = request.headers.get("Idempotency-Key", "") if route.method == "POST" else ""
    idempotency.key_check(key)
    endpoint = f"/v1/{request.path.removeprefix('/v1/')}"
    fingerprint = idempotency.fingerprint_of(tree)
    cause = Cause(request_id, key or None) if route.method == "POST" else Cause()
    with idempotency.key_held(account, key) if key else nullcontext(), _slow(here, fault), here.store.writing() as db:
        now = here.clock.timestamp()
        if key:
            kept = idempotency.answer_find(db, account, key, endpoint=endpoint, fingerprint=fingerprint, now=now)
            if kept:
                return Answer(kept.status, kept.body, request_id, replayed_from=kept.request_id)
        answer, keep = _execute(route, Call(db, here, Params(tree), cause, object_id), request_id)
        if fault.mode == "error_500_after_commit" and answer.status == 200:
            answer = _error_answer(ServerError("An unknown error occurred (a fault of the sandbox; the work was done)."), request_id)
        if key and keep:
            kept = idempotency.Kept(answer.status, answer.body, request_id)
            idempotency.answer_keep(db, account, key, endpoint=endpoint, fingerprint=fingerprint, kept=kept, now=now)
        return answer


@contextmanager
def _slow(here: World, fault: Fault) -> Iterator[None]:
    """Dawdle with the key held and no lock taken."""
    if fault.mode == "slow":
        here.stopping.wait(fault.seconds)
    yield


def _execute(route: Route, call: Call, request_id: str) -> tuple[Answer, bool]:
    """The answer and whether it is kept under the key. A refusal leaves no trace of what was begun."""
    call.db.execute("SAVEPOINT execution")
    try:
        paths = call.params.texts("expand")
        body = expand(call.db, route.handler(call), paths)
    except StripeError as error:
        call.db.execute("ROLLBACK TO execution")
        return _error_answer(error, request_id), error.kept
    finally:
        call.db.execute("RELEASE execution")
    return Answer(200, json.dumps(body, indent=2), request_id), True


def _error_answer(error: StripeError, request_id: str) -> Answer:
    return Answer(error.status, json.dumps(error.body(), indent=2), request_id)


def _response(request: HttpRequest, answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    response.headers["Request-Id"] = answer.request_id
    response.headers["Stripe-Version"] = API_VERSION
    response.headers["Cache-Control"] = "no-cache, no-store"
    key = request.headers.get("Idempotency-Key", "")
    if key and request.method == "POST" and len(key) <= idempotency.KEY_LONGEST:
        response.headers["Idempotency-Key"] = key
    if answer.replayed_from:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = answer.replayed_from
    if answer.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Stripe"'
    return response
