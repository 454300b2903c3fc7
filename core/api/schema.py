"""What every operation of the OpenAPI document has in common, so that no view repeats it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from core.api.scopes import PEOPLES, SCOPES

PROBLEM = {"$ref": "#/components/schemas/Problem"}

_PROBLEMS = {
    "400": "The request cannot be read: malformed JSON, or no Idempotency-Key where one is needed.",
    "401": "No token, or one that is not valid any more.",
    "403": "The token lacks the scope, or the person's role does not allow this.",
    "404": "Not there, or somebody else's; the two are never told apart.",
    "409": "It conflicts with what is there now; `code` says how.",
    "413": "The body is too large.",
    "415": "Send application/json.",
    "422": "A value is wrong; `errors` says which and why.",
    "429": "Too many calls; wait `Retry-After` seconds.",
    "503": "Somebody we need for this cannot be reached; nothing was moved. Repeat the call with the same key.",
}


class HubSchema(AutoSchema):
    """Reads `tag`, `scopes`, `ways_in`, `with_party` and @idempotent off the view."""

    def get_tags(self) -> list[str]:
        tag = getattr(self.view, "tag", "")
        return [tag] if tag else super().get_tags()

    def get_auth(self) -> list[dict[str, Any]]:
        if not self.view.authentication_classes:
            return []
        scope = getattr(self.view, "scopes", {}).get(self.method)
        needs: dict[str, dict[str, Any]] = {"oauth2": {"oauth2": [scope] if scope else []}, "sessionToken": {"sessionToken": []}}
        return [needs[way] for way in getattr(self.view, "ways_in", needs)]

    def get_operation_id(self) -> str:
        return str(getattr(getattr(self.view, self.method.lower()), "operation_id", "") or super().get_operation_id())

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = []
        if getattr(self.view, "with_party", False):
            parameters.append(
                OpenApiParameter(
                    "party",
                    {"type": "string", "format": "uuid"},
                    description="Whose; default is your own (or the one a partner has consent for).",
                )
            )
        if self._is_idempotent():
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    {"type": "string", "minLength": 1, "maxLength": 255},
                    location=OpenApiParameter.HEADER,
                    required=True,
                    description="One per intent, made by you. Repeating the call with it replays the first answer.",
                )
            )
        return parameters

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None:
            for status in self._problem_statuses(path):
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
        return operation

    def _is_idempotent(self) -> bool:
        return bool(getattr(getattr(self.view, self.method.lower(), None), "idempotent", False))

    def _problem_statuses(self, path: str) -> list[str]:
        statuses = ["429"]
        if self.view.authentication_classes:
            statuses += ["401", "403", "404"]
        if self.method == "GET":
            return sorted([*statuses, "422", *getattr(self.view, "read_problems", ())])
        if self._is_idempotent():
            statuses.append("503")
        return sorted([*statuses, "400", "409", "413", "415", "422"])


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """The problem document, its answers, and the two ways to authenticate."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _problem_schema()
    components["responses"] = {
        f"Problem{status}": {
            "description": text,
            "content": {"application/problem+json": {"schema": PROBLEM, "example": _example(int(status))}},
        }
        for status, text in _PROBLEMS.items()
    }
    components["securitySchemes"] = _security_schemes()
    for path in result["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    answer.setdefault("headers", {}).update(_quota_headers())
    return result


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "RFC 9457. Branch on `code`; it never changes. Some problems add members of their own.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string", "examples": ["urn:hub:problem:insufficient_funds"]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string"},
            "detail": {"type": "string", "description": "For people, in their language."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "code", "detail"],
                    "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
        },
        "additionalProperties": True,
    }


def _example(status: int) -> dict[str, Any]:
    codes = {
        400: "idempotency_key_required",
        401: "not_authenticated",
        403: "insufficient_scope",
        404: "not_found",
        409: "insufficient_funds",
        413: "body_too_large",
        415: "unsupported_media_type",
        422: "amount_not_positive",
        429: "throttled",
        503: "provider_unavailable",
    }
    code = codes[status]
    return {
        "type": f"urn:hub:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": _PROBLEMS[str(status)],
    }


def _security_schemes() -> dict[str, Any]:
    scopes = {name: str(text) for name, text in SCOPES.items()}
    peoples = {name: text for name, text in scopes.items() if name in PEOPLES}
    return {
        "oauth2": {
            "type": "oauth2",
            "description": "For partners. A person consents (authorization code with S256 PKCE), or the partner acts for its own party.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "/o/authorize/",
                    "tokenUrl": "/o/token/",
                    "refreshUrl": "/o/token/",
                    "scopes": peoples,
                },
                "clientCredentials": {"tokenUrl": "/o/token/", "scopes": scopes},
            },
        },
        "sessionToken": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Session-Token",
            "description": "For a person's own app: `meta.session_token` of signing in or up.",
        },
    }


def _quota_headers() -> dict[str, Any]:
    return {
        name: {"description": text, "schema": {"type": kind}}
        for name, kind, text in (
            ("RateLimit-Limit", "integer", "Calls allowed in a minute."),
            ("RateLimit-Remaining", "integer", "Calls left in this minute."),
            ("RateLimit-Reset", "integer", "Seconds until the count starts anew."),
        )
    }
