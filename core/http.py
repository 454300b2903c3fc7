"""Small facts about a request."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """
    The visitor's address. X-Forwarded-For is believed only for the entries that our own proxies added
    (HUB_TRUSTED_PROXIES), counted from its end; the rest is whatever the visitor wrote.
    """
    remote = str(request.META.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.HUB_TRUSTED_PROXIES
    return hops[-trusted] if trusted and len(hops) >= trusted else remote
