"""
Signing up and in over the API: the few of allauth's headless addresses that are needed, with the pages' own rules.

They answer in allauth's form (status, data, meta, errors), because signing in is a conversation: 401 carries the flows that
are open, `meta.session_token` what to send as X-Session-Token next.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from allauth.headless.account import inputs, views
from allauth.headless.constants import Client
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django_otp.middleware import OTPMiddleware

from accounts.emails import email_canonical
from accounts.forms import CODE_LIMITS, EmailField, SignUpForm, _digits_only


class SignUpInput(SignUpForm):
    """The page's form, with the password under its plain name."""

    def __init__(self, *args: Any, data: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, data={**data, "password1": data.get("password")}, **kwargs)

    def full_clean(self) -> None:
        super().full_clean()
        errors = self._errors or {}
        if "password1" in errors:
            errors["password"] = errors.pop("password1")


class SignInInput(inputs.LoginInput):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = EmailField()


class VerifyInput(inputs.VerifyEmailInput):
    """Digits of any script; wrong tries are counted per address, as on the page."""

    def clean_key(self) -> str:
        address = email_canonical(self.process.email) if self.process else "unknown"
        usage = ratelimit.consume(context.request, app="allauth.account", action="code", config=CODE_LIMITS, key=address)
        if not usage:
            raise get_adapter().validation_error("too_many_login_attempts")
        self.cleaned_data["key"] = _digits_only(self.cleaned_data["key"])
        key: str = super().clean_key()
        usage.rollback()
        return key


class CleanJson:
    """
    Whatever is not one JSON object is refused in the form that all of these answers have. Half characters ("\\ud800") parse as
    JSON, but nothing can store them.
    """

    def _parse_json(self, request: HttpRequest) -> Any:
        try:
            data = super()._parse_json(request)  # type: ignore[misc]
            json.dumps(data, ensure_ascii=False).encode()
        except (ImmediateHttpResponse, ValueError, RecursionError):
            refused = {"status": 400, "errors": [{"code": "malformed", "message": gettext("Send one JSON object.")}]}
            raise ImmediateHttpResponse(response=JsonResponse(refused, status=400)) from None
        return data


class SignUpView(CleanJson, views.SignupView):
    input_class = {"POST": SignUpInput}


class SignInView(CleanJson, views.LoginView):
    input_class = SignInInput


class VerifyView(CleanJson, views.VerifyEmailView):
    http_method_names = ("post",)
    input_class = VerifyInput


class ResendView(CleanJson, views.ResendEmailVerificationCodeView):
    pass


class SessionView(CleanJson, views.SessionView):
    pass


def _for_apps(view_class: Any) -> Callable[..., HttpResponseBase]:
    """
    allauth swaps the session by X-Session-Token and then asks for the person anew, but django-otp's middleware has bound
    `request.user` to the cookie's person for good: bind it to whatever session the request has at that moment.
    """
    view = view_class.as_api_view(client=Client.APP)

    @csrf_exempt
    def bound(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.user = SimpleLazyObject(lambda: _otp._verify_user_sync(request, get_user(request)))  # type: ignore[assignment]
        answer: HttpResponseBase = view(request, *args, **kwargs)
        # The limits are the pages' own, and so is what allauth answers to whoever exceeds them.
        return _too_many(answer) if answer.status_code == 429 else answer

    return bound


def _too_many(page: HttpResponseBase) -> JsonResponse:
    refused = {"status": 429, "errors": [{"code": "rate_limited", "message": gettext("Too many tries. Wait a little, then try again.")}]}
    waits = {"Retry-After": page["Retry-After"]} if page.has_header("Retry-After") else {}
    return JsonResponse(refused, status=429, headers=waits)


_otp = OTPMiddleware(lambda request: HttpResponse())

urlpatterns = [
    path("auth/signup", _for_apps(SignUpView), name="signup"),
    path("auth/email/verify", _for_apps(VerifyView), name="verify_email"),
    path("auth/email/verify/resend", _for_apps(ResendView), name="resend_email_verification_code"),
    path("auth/login", _for_apps(SignInView), name="login"),
    path("auth/session", _for_apps(SessionView), name="current_session"),
]


# --- their part of the OpenAPI document: they are not REST framework views, so nothing can be read off them -----------------


def describe(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    base = "/api/v1/auth/app/v1/auth"
    email = {"type": "string", "format": "email", "examples": ["asa@example.com"]}
    password = {"type": "string", "format": "password", "minLength": 10}
    sign_up = {
        "email": email,
        "password": password,
        "name": {"type": "string", "maxLength": 100, "examples": ["Åsa Lind"]},
        "home_currency": {"type": "string", "examples": ["EUR"]},
        "terms": {"type": "boolean", "const": True, "description": "Accepts the terms of use and the privacy notice now in force."},
        "time_zone": {"type": "string", "examples": ["Europe/Stockholm"]},
    }
    paths = {
        f"{base}/signup": {
            "post": _operation("auth_sign_up", "Open an account", sign_up, optional=("time_zone",), statuses=("400", "401", "409", "429"))
        },
        f"{base}/email/verify": {
            "post": _operation(
                "auth_email_verify",
                "Prove the e-mail address with the code that was sent",
                {"key": {"type": "string", "examples": ["123456"]}},
            )
        },
        f"{base}/email/verify/resend": {
            "post": _operation("auth_email_verify_resend", "Send a new code", None, statuses=("200", "400", "409", "429"))
        },
        f"{base}/login": {"post": _operation("auth_sign_in", "Sign in", {"email": email, "password": password})},
        f"{base}/session": {
            "get": _operation("auth_session_read", "The session of this token", None, statuses=("200", "401", "410")),
            "delete": _operation("auth_session_end", "Sign out", None, statuses=("400", "401", "410")),
        },
    }
    result["paths"] = {**paths, **result["paths"]}
    result["components"]["schemas"]["AuthAnswer"] = {
        "type": "object",
        "properties": {
            "status": {"type": "integer"},
            "data": {"type": "object", "additionalProperties": True, "description": "The person, or the flows that are open."},
            "meta": {
                "type": "object",
                "properties": {
                    "is_authenticated": {"type": ["boolean", "null"], "description": "null: the token you sent is not valid any more."},
                    "session_token": {"type": "string", "description": "Send it as X-Session-Token. A new one replaces the one before."},
                },
            },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "param": {"type": "string"}},
                },
            },
        },
    }
    return result


_ANSWERS = {
    "200": "Done; signed in.",
    "400": "A value is wrong, or the body is not one JSON object; `errors` says which.",
    "401": "Not signed in (yet): `data.flows` says what is to be done next.",
    "409": "Nothing of this kind is under way, or somebody is signed in already.",
    "410": "The session token is not valid any more.",
    "429": "Too many tries.",
}


def _operation(
    name: str,
    summary: str,
    fields: dict[str, Any] | None,
    *,
    optional: tuple[str, ...] = (),
    statuses: tuple[str, ...] = ("200", "400", "401", "409", "429"),
) -> dict[str, Any]:
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/AuthAnswer"}}}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "tags": ["Signing in"],
        "security": [{}, {"sessionToken": []}],
        "responses": {status: {"description": _ANSWERS[status], "content": answer} for status in sorted(statuses)},
    }
    if fields:
        body = {"type": "object", "required": [field for field in fields if field not in optional], "properties": fields}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation
