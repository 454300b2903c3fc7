"""Junk at every operation of the OpenAPI document: whatever is sent, the answer is a refusal or a result, never a fault."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Person
from tests.unit.api.conftest import Api, session_api
from wallets.models import Wallet

pytestmark = pytest.mark.django_db

JUNK: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63), 10**30, 1e300, "", " ", "\x00",
    "\u202e", "😀", "x" * 5_000, "%00", "../..",
    "' OR 1=1 --", "۱۲", "1e400", "NaN", "0001-01-01", "9999-12-31", [], [None], {}, {"amount": 1}, {"amount": {}, "currency": []},
    {"amount": 1, "currency": "EUR"}, {"amount": 10**15, "currency": "JPY"}, str(uuid4()),
    "00000000-0000-0000-0000-000000000000", "@boek", "EUR", "open",
]  # fmt: skip


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, json.loads(json.dumps(_inlined(schema, operation), default=str))


def _inlined(schema: Any, part: Any) -> Any:
    if isinstance(part, dict):
        if "$ref" in part:
            found = schema
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            return _inlined(schema, found)
        return {key: _inlined(schema, value) for key, value in part.items() if key != "responses"}
    return [_inlined(schema, value) for value in part] if isinstance(part, list) else part


OPERATIONS = list(operations())


@pytest.fixture
def callers(asa: Person, asa_wallet: Wallet, bo_wallet: Wallet, monkeypatch: pytest.MonkeyPatch) -> list[Api]:
    """A person, whose calls get far, and nobody. The card provider is not there."""
    from payments.gateways.base import GatewayTimeout
    from payments.services import top_ups

    class Silent:
        def amount_check(self, amount: Any) -> None:
            pass

        def checkout_create(self, **more: Any) -> Any:
            raise GatewayTimeout("no_answer")

    monkeypatch.setattr(top_ups, "gateway_named", lambda name: Silent())
    return [session_api(asa), Api()]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=[f"{method} {path}" for path, method, _operation in OPERATIONS])
def test_no_junk_is_a_fault(path: str, method: str, operation: dict[str, Any], callers: list[Api], asa_wallet: Wallet) -> None:
    chance = random.Random(f"{method} {path}")
    places = [name for name in ("wallet_id", "transfer_id", "top_up_id") if f"{{{name}}}" in path]
    queries = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
    fields = list(operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("properties", {}))

    for turn in range(40):
        url = path
        for place in places:
            url = url.replace(f"{{{place}}}", str(chance.choice([asa_wallet.id, uuid4(), "x", "0", "%00", "%F0%9F"])))
        query = {name: _text(chance.choice(JUNK)) for name in queries if chance.random() < 0.5}
        body: Any = {name: chance.choice(JUNK) for name in fields if chance.random() < 0.9}
        if "wallet_id" in body and chance.random() < 0.5:
            body["wallet_id"] = str(asa_wallet.id)
        raw = json.dumps(chance.choice([body, body, body, *JUNK[:6], [body]]))
        for api in callers:
            headers = {**api.headers, "Idempotency-Key": chance.choice([str(turn), "k", "\xe5", "x" * 300])}
            send = getattr(api.client, method)
            more = {"query_params": query} if method != "get" else {}
            answer = (
                send(url, query, headers=headers)
                if method == "get"
                else send(url, raw, content_type="application/json", headers=headers, **more)
            )
            assert answer.status_code < 500, (url, query, raw)
            if answer.status_code >= 400 and "/auth/" not in path:
                assert answer["Content-Type"] == "application/problem+json"
                assert answer.json()["code"]


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
