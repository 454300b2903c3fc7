"""
Junk and half-good input at every operation of the OpenAPI document: whatever is sent, the answer is a refusal or a result, never
a fault, and always one that the document promises: its status, its kind and its shape.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid4

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.core.cache import cache
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Person
from accounts.services import partner_create
from budgeting.models import FeedItem
from budgeting.services import feed_follow
from core import clock
from core.api.scopes import SCOPES
from core.money import Money
from engagement.webhooks import services as webhooks
from engagement.webhooks import wire
from payments.bills.services import Terms, To, bill_create
from payments.services import payout_send, top_up_start, transfer_send
from tests.unit.api.conftest import Api, bearer, session_api, token_for
from wallets.models import Wallet
from wallets.pots.services import pot_open, pot_put

pytestmark = pytest.mark.django_db

JUNK: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63), 10**30, 1e300, "", " ", "\x00",
    "\u202e", "😀", "x" * 5_000, "%00", "../..",
    "' OR 1=1 --", "۱۲", "1e400", "NaN", "0001-01-01", "9999-12-31", [], [None], {}, {"amount": 1}, {"amount": {}, "currency": []},
    {"amount": 1, "currency": "EUR"}, {"amount": 10**15, "currency": "JPY"}, str(uuid4()),
    "00000000-0000-0000-0000-000000000000", "@boek", "EUR", "open",
]  # fmt: skip


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    schema = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, _inlined(schema, operation)


def _inlined(schema: Any, part: Any) -> Any:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            found = schema
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            return _inlined(schema, found)
        return {key: _inlined(schema, value) for key, value in part.items()}
    return [_inlined(schema, value) for value in part] if isinstance(part, list) else part


OPERATIONS = list(operations())
# What stands in an address: the name of the parameter, and whose it is.
Objects = dict[str, list[str]]


@pytest.fixture
def callers(asa: Person, asa_wallet: Wallet, bo_wallet: Wallet, monkeypatch: pytest.MonkeyPatch) -> list[Api]:
    """A person, a program with its own credentials whose calls get as far, and nobody. The outside world does not answer."""
    from payments import gateways
    from payments.gateways.base import GatewayTimeout
    from payments.services import top_ups

    class Silent:
        def amount_check(self, amount: Any) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            def never(*args: Any, **kwargs: Any) -> Any:
                raise GatewayTimeout("no_answer")

            return never

    monkeypatch.setattr(top_ups, "gateway_named", lambda name: Silent())
    monkeypatch.setattr(gateways, "bank_gateway", lambda: Silent())
    monkeypatch.setattr(wire, "_resolve", lambda host, port: [ip_address("93.184.216.34")])
    program = partner_create(name="Books", redirect_uris=[], party=asa.party, answers=asa, now=clock.now()).application
    return [session_api(asa), bearer(token_for(program, None, " ".join(SCOPES))), Api()]


@pytest.fixture
def objects(asa: Person, asa_wallet: Wallet, callers: list[Api]) -> Objects:
    """One thing of each kind that an address can name."""
    from accounts.models import PartnerApplication

    now, mine = clock.now(), {"by": asa, "party_id": asa.party_id}
    money: dict[str, Any] = {**mine, "source_wallet_id": asa_wallet.id, "now": now}
    sent = transfer_send(**money, payee="@boek", amount=Money(10_00, "EUR"), idempotency_key="a").payment.id
    waits = transfer_send(**money, payee="@boek", amount=Money(40_00, "EUR"), idempotency_key="b").payment.id
    feed_follow(payment_id=sent)
    payout = payout_send(**money, iban="DE89370400440532013000", name="L", amount=Money(40_00, "EUR"), idempotency_key="c").payment.id
    top_up = top_up_start(by=asa, party_id=asa.party_id, wallet_id=asa_wallet.id, amount=Money(5_00, "EUR"), idempotency_key="d", now=now)
    pot = pot_open(party_id=asa.party_id, wallet_id=asa_wallet.id, name="Holiday", idempotency_key="p", now=now)
    pot_put(party_id=asa.party_id, pot_id=pot.id, amount=Money(5_00, "EUR"), idempotency_key="p", now=now)
    terms = Terms(name="Rent", wallet_id=asa_wallet.id, amount=Money(9_00, "EUR"), first_on=(now + timedelta(days=3)).date())
    bill = bill_create(by=asa, party_id=asa.party_id, to=To(payee="@boek"), terms=terms, idempotency_key="e", now=now)
    program = PartnerApplication.objects.get(party=asa.party)
    endpoint = webhooks.endpoint_create(application=program, url="https://partner.example/hook", event_types=[], now=now).endpoint
    delivery = webhooks.ping(endpoint=endpoint, now=now)
    found: dict[str, list[UUID]] = {
        "wallet_id": [asa_wallet.id],
        "payment_id": [sent],
        "transfer_id": [sent, waits],
        "payout_id": [payout],
        "top_up_id": [top_up.payment.id],
        "pot_id": [pot.id],
        "bill_id": [bill.id],
        "item_id": [FeedItem.objects.get(party_id=asa.party_id).id],
        "endpoint_id": [endpoint.id],
        "delivery_id": [delivery.id],
        "party": [asa.party_id],
    }
    return {name: [str(one) for one in ids] for name, ids in found.items()} | {"seq": ["1", "2"]}


def test_every_address_is_reached(objects: Objects) -> None:
    """A new kind of address has to be named above, or its operations would be tried with nothing that is there."""
    named = {word.split("}")[0] for path, _method, _operation in OPERATIONS for word in path.split("{")[1:]}
    assert named <= set(objects)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=[f"{method} {path}" for path, method, _operation in OPERATIONS])
def test_whatever_is_sent_the_answer_is_one_that_is_promised(
    path: str, method: str, operation: dict[str, Any], callers: list[Api], objects: Objects
) -> None:
    chance = random.Random(f"{method} {path}")
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    queries = [parameter for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
    reached = set()
    for turn in range(24):
        good = turn % 3
        # Limits of sign-in and sign-up would hide what lies behind them.
        cache.clear()
        url = path
        for place in objects:
            url = url.replace(f"{{{place}}}", _place(chance, objects[place], good))
        query = {one["name"]: _text(_value(chance, one["schema"], one["name"], objects, good)) for one in queries if chance.random() < 0.4}
        body = _value(chance, schema, "", objects, good) if schema else chance.choice(JUNK[:6])
        raw = json.dumps(body if good or chance.random() < 0.7 else chance.choice([*JUNK[:6], [body]])) if schema or not good else ""
        for api in callers if turn % 8 == 0 else callers[:2]:
            headers = {**api.headers, "Idempotency-Key": chance.choice([str(turn), str(uuid4()), "k", "\xe5", "x" * 300])}
            sent = {} if method == "get" else {"data": raw, "content_type": "application/json"}
            answer = getattr(api.client, method)(url, headers=headers, query_params=query, **sent)
            reached.add(answer.status_code)
            what = (method, url, query, raw, answer.status_code, answer.content[:500])
            assert answer.status_code < 500 or answer.status_code == 503, what
            assert_promised(operation, answer, what)
    # Half-good input has to get somewhere, or nothing behind the first check is tried.
    assert any(status < 300 or status in (409, 422) or (status == 401 and "/auth/" in path) for status in reached), reached


def _place(chance: random.Random, known: list[str], good: int) -> str:
    return chance.choice(known) if good or chance.random() < 0.3 else chance.choice([str(uuid4()), "x", "0", "%00", "%F0%9F"])


def _value(chance: random.Random, schema: dict[str, Any], name: str, objects: Objects, good: int) -> Any:
    """A value of the documented shape; the less `good` (2, 1, 0) the more often junk stands in some place of it."""
    if chance.random() < (0.35, 0.1, 0.0)[good]:
        return chance.choice(JUNK)
    if "allOf" in schema:
        return _value(chance, schema["allOf"][0], name, objects, good)
    if options := schema.get("oneOf") or schema.get("anyOf"):
        return _value(chance, chance.choice(options), name, objects, good)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = chance.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        required = set(schema.get("required", []))
        return {
            field: _value(chance, part, field, objects, good)
            for field, part in schema.get("properties", {}).items()
            if not part.get("readOnly") and (field in required or chance.random() < 0.6)
        }
    if kind == "array":
        return [_value(chance, schema.get("items", {}), name, objects, good) for _one in range(chance.randrange(3))]
    if kind == "integer":
        return chance.choice([1, 2, 5_00, schema.get("minimum", 0), schema.get("maximum", 100)])
    return {"boolean": True, "null": None, "number": 1.5}.get(kind, _words(chance, schema, name, objects))


def _words(chance: random.Random, schema: dict[str, Any], name: str, objects: Objects) -> str:
    if name in objects:
        return chance.choice(objects[name])
    day = clock.now().date()
    formats = {
        "uuid": [str(uuid4())],
        "date": [day.isoformat(), (day + timedelta(days=2)).isoformat(), "2024-02-29", "1985-07-09"],
        "date-time": [clock.now().isoformat()],
        "email": ["asa@example.com", "new@example.com"],
        "uri": ["https://partner.example/hooks"],
    }
    words = {
        "home_currency": ["EUR", "SEK"],
        "currency": ["EUR", "SEK", "JPY", "KWD"],
        "payee": ["@boek", "bo@example.com"],
        "query": ["@boek", "bo@example.com"],
        "url": ["https://partner.example/hooks", "https://partner.example:8443/hooks"],
        "iban": ["DE89370400440532013000", "GB29NWBK60161331926819"],
        "country": ["SE", "DE"],
        "document_country": ["SE", "DE"],
        "document_number": ["850709-9805", "C01X00T47"],
        "category": ["gifts", "eating_out"],
        "period": [f"{day:%Y-%m}", "2026-13"],
        "month": [f"{day:%Y-%m}"],
        "password": ["copper lantern drifting"],
        "time_zone": ["Europe/Stockholm"],
        "time": ["09:00"],
        "at": ["09:00"],
    }
    return chance.choice(words.get(name) or formats.get(schema.get("format", "")) or ["a", "Åsa Lind", "1"])


def assert_promised(operation: dict[str, Any], answer: Any, what: Any) -> None:
    """The status is documented, and the body has the shape that is documented for it."""
    promised = operation["responses"].get(str(answer.status_code))
    assert promised is not None, (what, sorted(operation["responses"]))
    kind = answer.get("Content-Type", "").partition(";")[0]
    if "content" not in promised:
        assert not answer.content, what
        return
    assert kind in promised["content"], (what, kind)
    shape = promised["content"][kind].get("schema", {})
    problems = jsonschema.Draft202012Validator(shape, format_checker=jsonschema.FormatChecker()).iter_errors(answer.json())
    assert [f"{list(problem.absolute_path)}: {problem.message}" for problem in problems] == [], what


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("header", ["Authorization", "X-Session-Token", "Idempotency-Key", "Accept", "Accept-Language", "Content-Type"])
@pytest.mark.parametrize(
    "value", ["", " ", "Bearer", "Bearer \xff", "x" * 4000, "\xe5\xe4", "*/*;q=x", "a,b;c", "application/json;charset=x"]
)
def test_no_header_is_a_fault(header: str, value: str, callers: list[Api]) -> None:
    for api in callers:
        headers = {**api.headers, "Idempotency-Key": "k", header: value}
        kind = headers.pop("Content-Type", "application/json")
        assert api.client.generic("POST", "/api/v1/transfers", b"{}", content_type=kind, headers=headers).status_code < 500
        assert api.client.get("/api/v1/me", headers=headers).status_code < 500
