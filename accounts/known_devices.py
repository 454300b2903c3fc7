"""
The cookie by which a device is known again: random, signed, long-lived, the same for everybody who signs in there.

It signs nobody in and says nothing about anybody; what it is good for is telling a person of a sign-in from elsewhere.
Over the API, which sets no cookies, the same text travels in the header X-Device-Token, both ways.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

# The longest that browsers keep a cookie.
KEPT_FOR = timedelta(days=400)
HEADER = "X-Device-Token"
_SALT = "accounts.known_device"
_PENDING = "_hub_device_cookie"


def _over_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def token_of(request: HttpRequest) -> str:
    """The device's token; a device without one (or with a forged one) gets a new one with this request's answer."""
    try:
        given = request.headers.get(HEADER, "") if _over_api(request) else request.COOKIES.get(settings.HUB_DEVICE_COOKIE, "")
        token: str = signing.Signer(salt=_SALT).unsign(given)
    except signing.BadSignature:
        token = secrets.token_urlsafe(24)
    # Also for a known device: it lives for another 400 days.
    setattr(request, _PENDING, token)
    return token


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def cookie_send(request: HttpRequest, response: HttpResponse) -> None:
    """Put the cookie on the answer to a sign-in; other answers stay as they are."""
    token = getattr(request, _PENDING, None)
    if token and _over_api(request):
        response.headers[HEADER] = signing.Signer(salt=_SALT).sign(token)
    elif token:
        response.set_cookie(
            settings.HUB_DEVICE_COOKIE,
            signing.Signer(salt=_SALT).sign(token),
            max_age=KEPT_FOR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
