"""One exception handler: every refusal of the API is an RFC 9457 problem document with a stable `code`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from core.errors import HubError

CONTENT_TYPE = "application/problem+json"


def problem_response(
    *, status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None, headers: dict[str, str] | None = None, **extra: Any
) -> Response:
    """
    `{"type", "title", "status", "code", "detail", "errors"?: [{"field", "code", "detail"}], ...}`
    """
    body: dict[str, Any] = {
        "type": f"urn:hub:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        **extra,
    }
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Unknown exceptions give None: they stay 500, are logged, and say nothing about the inside."""
    if isinstance(exc, HubError):
        headers = {"Retry-After": str(exc.extra["retry_after"])} if "retry_after" in exc.extra else None
        errors = [{"field": exc.field, "code": exc.code, "detail": str(exc.message)}] if exc.field else None
        return problem_response(status=exc.http_status, code=exc.code, detail=str(exc.message), errors=errors, headers=headers, **exc.extra)
    if isinstance(exc, Http404):
        return problem_response(status=404, code="not_found", detail=_("We could not find that."))
    if isinstance(exc, PermissionDenied):
        return problem_response(status=403, code="forbidden", detail=_("You may not do this."))
    if isinstance(exc, RequestDataTooBig):
        return problem_response(status=413, code="body_too_large", detail=_("The body is too large."))
    if isinstance(exc, exceptions.ValidationError):
        errors = _field_errors(exc.get_full_details())
        return problem_response(
            status=422, code=errors[0]["code"] if len(errors) == 1 else "invalid", detail=_("Check what you sent."), errors=errors
        )
    if isinstance(exc, exceptions.APIException):
        details = exc.get_full_details()
        code = details.get("code", exc.default_code) if isinstance(details, dict) else exc.default_code
        headers = {}
        if (wait := getattr(exc, "wait", None)) is not None:
            headers["Retry-After"] = str(max(1, wait))
        if exc.status_code == 401:
            headers["WWW-Authenticate"] = getattr(exc, "auth_header", None) or 'Bearer realm="api"'
        return problem_response(status=exc.status_code, code=str(code), detail=str(exc.detail), headers=headers or None)
    return None


def _field_errors(details: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(details, dict) and set(details) == {"message", "code"} and not isinstance(details["message"], (dict, list)):
        return [{"field": path, "code": str(details["code"]), "detail": str(details["message"])}]
    pairs = details.items() if isinstance(details, dict) else enumerate(details)
    found = []
    for key, value in pairs:
        leaf = isinstance(details, list) and isinstance(value, dict) and set(value) == {"message", "code"}
        name = path if leaf or key == "non_field_errors" else f"{path}.{key}" if path else str(key)
        found += _field_errors(value, name)
    return found
