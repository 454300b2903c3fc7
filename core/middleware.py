"""Middleware of the spine: one log line a request, security headers, the database scope, refusals as pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.db import SYSTEM, scope
from core.errors import HubError
from core.ids import uuid7
from core.metrics import requests

log = structlog.get_logger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestLogMiddleware:
    """One line and one count a request: an id, the route's name (never the address, which may hold a secret), status and time."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = str(uuid7())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        route = request.resolver_match.view_name if request.resolver_match else None
        if route not in ("healthz", "readyz", "metrics") and not request.path.startswith("/static/"):
            seconds = time.perf_counter() - started
            requests.observe(route=route or "", method=str(request.method), status=response.status_code, seconds=seconds)
            log.info("request", method=request.method, route=route, status_code=response.status_code, ms=round(seconds * 1000, 1))
        return response


class SecurityHeadersMiddleware:
    """Headers that Django has no setting for, and no caching of what belongs to a person."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.setdefault("Cache-Control", "no-store")
        return response


class ScopeMiddleware:
    """Tell the database who is asking, for as long as the request lasts."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return self.get_response(request)
        with scope(SYSTEM if user.is_staff else user.party_id):
            return self.get_response(request)


class HubErrorMiddleware:
    """A refusal that no form caught becomes a page with its message and status, never a 500. The API has its own handler."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, HubError):
            return None
        template = "404.html" if exception.http_status == 404 else "errors/refused.html"
        return render(request, template, {"error": exception}, status=exception.http_status)
