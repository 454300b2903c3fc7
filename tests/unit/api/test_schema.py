"""The OpenAPI document and the page made from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.validation import validate_schema

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    from drf_spectacular.generators import SchemaGenerator

    found: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
    return found


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield path, method, operation


class TestDocument:
    def test_is_valid_openapi_3_1_without_a_warning(self, schema: dict[str, Any], tmp_path: Any) -> None:
        assert schema["openapi"] == "3.1.1"
        validate_schema(schema)
        call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "schema.yml"))

    def test_every_operation_is_explained(self, schema: dict[str, Any]) -> None:
        ids = []
        for path, method, operation in operations(schema):
            ids.append(operation["operationId"])
            assert operation["summary"], (path, method)
            assert operation["tags"], (path, method)
            assert operation["responses"], (path, method)
        assert len(ids) == len(set(ids))

    def test_every_operation_of_ours_has_examples_problems_and_both_ways_in(self, schema: dict[str, Any]) -> None:
        for path, method, operation in operations(schema):
            if "/auth/" in path:
                continue
            good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            assert any("examples" in answer["content"]["application/json"] for answer in good), (path, method)
            assert {"401", "403", "404", "429"} <= set(operation["responses"]), (path, method)
            ways = {"/api/v1/webhook": ["oauth2"], "/api/v1/identity": ["sessionToken"]}
            expected = next((found for start, found in ways.items() if path.startswith(start)), ["oauth2", "sessionToken"])
            assert [next(iter(need)) for need in operation["security"]] == expected, (path, method)

    def test_offers_people_only_what_they_can_consent_to(self, schema: dict[str, Any]) -> None:
        flows = schema["components"]["securitySchemes"]["oauth2"]["flows"]
        assert set(flows["clientCredentials"]["scopes"]) - set(flows["authorizationCode"]["scopes"]) == {"webhooks:manage"}

    def test_every_reference_leads_somewhere(self, schema: dict[str, Any]) -> None:
        def walk(part: Any) -> Iterator[str]:
            if isinstance(part, dict):
                if isinstance(part.get("$ref"), str):
                    yield part["$ref"]
                for value in part.values():
                    yield from walk(value)
            elif isinstance(part, list):
                for value in part:
                    yield from walk(value)

        for reference in walk(schema):
            found: Any = schema
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]

    def test_moves_of_money_ask_for_a_key(self, schema: dict[str, Any]) -> None:
        keyed = {
            path.removeprefix("/api/v1")
            for path, _method, operation in operations(schema)
            if any(parameter["name"] == "Idempotency-Key" and parameter["required"] for parameter in operation.get("parameters", []))
        }
        assert keyed == {
            "/transfers",
            "/transfers/{transfer_id}/complete",
            "/payouts",
            "/payouts/{payout_id}/complete",
            "/top-ups",
            "/bills",
            "/wallets/{wallet_id}/pots",
            "/pots/{pot_id}/put",
            "/pots/{pot_id}/take",
            "/pots/{pot_id}/close",
        }

    @pytest.mark.django_db
    def test_is_served(self, client: Client) -> None:
        assert client.get("/api/schema/").json()["openapi"] == "3.1.1"
        assert client.get("/api/schema/?format=yaml").content.startswith(b"openapi: 3.1.1")
        assert client.get("/api/schema/?format=nothing").status_code == 404


@pytest.mark.django_db
class TestPage:
    def test_shows_every_operation(self, client: Client, schema: dict[str, Any]) -> None:
        page = client.get("/api/docs/").content.decode()
        for _path, _method, operation in operations(schema):
            assert f'id="{operation["operationId"]}"' in page

    def test_keeps_the_strict_policy_and_asks_nobody_else(self, client: Client) -> None:
        answer = client.get("/api/docs/")
        page = answer.content.decode()
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert 'src="http' not in page
        assert "style=" not in page

    def test_is_small(self, client: Client) -> None:
        assert len(client.get("/api/docs/").content) < 200_000
