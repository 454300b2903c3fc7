"""A person's language, time zone and open questions, for the length of a request."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation

from accounts import known_devices, selectors
from accounts.models import Person
from accounts.values import time_zones

GetResponse = Callable[[HttpRequest], HttpResponse]
# Where a person who has not accepted the newest terms may still go: reading them in their language, signing out, machines' paths.
TERMS_FREE = (
    "/terms/",
    "/language/",
    "/auth/",
    "/admin/",
    "/api/",
    "/o/",
    "/static/",
    "/webhooks/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/csp-report/",
)


class PersonMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._answer(request)
        known_devices.cookie_send(request, response)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            self._forget_the_inactive(request)
            with timezone.override(ZoneInfo(settings.HUB_TIME_ZONE)):
                return self.get_response(request)
        person: Person = request.user
        zone = person.time_zone if person.time_zone in time_zones() else "UTC"
        if person.language in dict(settings.LANGUAGES):
            translation.activate(person.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(ZoneInfo(zone)):
            return self._terms_asked(request, person) or self.get_response(request)

    @staticmethod
    def _forget_the_inactive(request: HttpRequest) -> None:
        # Signed in, but closed, disabled or with a new password since: nothing of that session is kept.
        if SESSION_KEY in request.session:
            request.session.flush()

    @staticmethod
    def _terms_asked(request: HttpRequest, person: Person) -> HttpResponse | None:
        if request.path.startswith(TERMS_FREE) or not selectors.terms_missing(person):
            return None
        next_path = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
        url = f"{reverse('terms_accept')}?{urlencode({'next': next_path})}"
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": url})
        return HttpResponseRedirect(url)
