"""The readable form of the OpenAPI document: a page of ours, because the usual viewers need scripts of third parties."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

Schema = dict[str, Any]


def _prose(text: str) -> SafeString:
    """A description's `code` marks as elements."""
    parts = escape(text).split("`")
    return mark_safe("".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)))  # noqa: S308  (escaped above)


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    required: bool
    text: SafeString


@dataclass(frozen=True)
class Answer:
    status: str
    text: SafeString
    example: str


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    text: SafeString
    scope: str
    parameters: list[Field]
    body: list[Field]
    request_example: str
    answers: list[Answer]
    problems: list[str]

    @property
    def address(self) -> str:
        """No two operations have the same, as they may have the same summary."""
        return f"{self.method} {self.path}"


@dataclass
class Group:
    name: str
    anchor: str
    operations: list[Operation] = field(default_factory=list)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    groups, scopes = _read(get_language() or "en")
    return render(request, "hub/api_docs.html", {"groups": groups, "scopes": scopes})


@functools.lru_cache(maxsize=8)
def _read(language: str) -> tuple[list[Group], list[tuple[str, str]]]:
    """One walk through the document per process and language."""
    schema: Schema = json.loads(json.dumps(_generated(), default=str))
    groups: dict[str, Group] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            tag = operation["tags"][0]
            group = groups.setdefault(tag, Group(tag, tag.lower().replace(" ", "-")))
            group.operations.append(_operation(schema, path, method, operation))
    scopes = schema["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    return list(groups.values()), list(scopes.items())


def _generated() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def _operation(schema: Schema, path: str, method: str, operation: Schema) -> Operation:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    answers = {status: _resolved(schema, answer) for status, answer in operation["responses"].items()}
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        text=_prose(operation.get("description", "")),
        scope=next((scopes[0] for need in operation.get("security", []) if (scopes := need.get("oauth2"))), ""),
        parameters=[
            Field(p["name"], f"{p['in']}, {_kind(schema, p['schema'])}", p.get("required", False), _prose(p.get("description", "")))
            for p in operation.get("parameters", [])
        ],
        body=_fields(schema, content.get("schema", {})),
        request_example=_example(content),
        answers=[
            Answer(status, _prose(answer.get("description", "")), _example(answer.get("content", {}).get("application/json", {})))
            for status, answer in answers.items()
            if "application/problem+json" not in answer.get("content", {})
        ],
        problems=[status for status, answer in answers.items() if "application/problem+json" in answer.get("content", {})],
    )


def _resolved(schema: Schema, part: Schema) -> Schema:
    while "$ref" in part:
        found: Any = schema
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def _fields(schema: Schema, body: Schema) -> list[Field]:
    body = _resolved(schema, body)
    required = body.get("required", [])
    return [
        Field(
            name, _kind(schema, part), name in required, _prose(part.get("description") or _resolved(schema, part).get("description", ""))
        )
        for name, part in body.get("properties", {}).items()
    ]


def _kind(schema: Schema, part: Schema) -> str:
    if "allOf" in part:
        part = part["allOf"][0]
    part = _resolved(schema, part)
    if "enum" in part:
        return " | ".join(str(value) for value in part["enum"])
    kind = part.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array":
        return f"list of {_kind(schema, part.get('items', {}))}"
    return f"{kind} ({part['format']})" if part.get("format") in ("uuid", "date", "date-time", "email", "uri") else kind


def _example(content: Schema) -> str:
    examples = content.get("examples", {})
    value = next((example["value"] for example in examples.values()), content.get("example"))
    return json.dumps(value, indent=2, ensure_ascii=False) if value is not None else ""
