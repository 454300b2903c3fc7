"""Ids, addresses, wake-ups, housekeeping and middleware."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from core import clock, due, events, housekeeping, idempotency, middleware, rates, tasks, wake
from core.db import scope_current
from core.errors import HubError
from core.http import client_address
from core.ids import uuid7
from core.middleware import HubErrorMiddleware, RequestLogMiddleware, ScopeMiddleware, SecurityHeadersMiddleware
from core.models import Delivery, DueWork, Event, IdempotencyKey
from tests.databases import ROOT
from tests.unit.core.threads import together


class TestUuid7:
    def test_sorts_by_time_within_a_process(self) -> None:
        made = [uuid7() for _ in range(10_000)]
        assert made == sorted(made)
        assert len(set(made)) == len(made)

    def test_is_a_version_7_of_this_moment(self) -> None:
        made = uuid7()
        assert (made.version, made.variant) == (7, "specified in RFC 4122")
        assert abs((made.int >> 80) - time.time() * 1000) < 2000

    def test_is_never_made_twice_by_threads(self) -> None:
        made = together(4, lambda: [uuid7() for _ in range(2000)])
        assert len({one for batch in made for one in batch}) == 8000


class TestClientAddress:
    def ask(self, forwarded: str) -> str:
        return client_address(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded))

    def test_believes_no_header_without_a_proxy(self, settings: Settings) -> None:
        settings.HUB_TRUSTED_PROXIES = 0
        assert self.ask("6.6.6.6") == "10.0.0.1"

    def test_believes_what_our_own_proxies_added(self, settings: Settings) -> None:
        settings.HUB_TRUSTED_PROXIES = 1
        assert self.ask("6.6.6.6, 203.0.113.9") == "203.0.113.9"
        settings.HUB_TRUSTED_PROXIES = 2
        assert self.ask("6.6.6.6, 203.0.113.9, 10.0.0.2") == "203.0.113.9"
        assert self.ask("10.0.0.2") == "10.0.0.1"
        assert self.ask("") == "10.0.0.1"


_WAKE = """
import os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "hub.settings"
import django
django.setup()
from core import wake
for attempt in range(3):
    started = time.monotonic()
    wake.relay()
    print(time.monotonic() - started)
"""


class TestWake:
    def test_does_not_keep_a_person_waiting_for_a_broker_that_is_away(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
            env = {**os.environ, "HUB_ENV": "test", "REDIS_URL": f"redis://127.0.0.1:{taken.getsockname()[1]}/0"}
            done = subprocess.run([sys.executable, "-c", _WAKE], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=True)
        first, *later = [float(line) for line in done.stdout.split()]
        assert first < 1
        assert max(later) < 0.05

    def test_does_nothing_without_a_broker(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.CELERY_BROKER_URL = ""
        monkeypatch.setattr(tasks, "BY_NAME", {})
        wake.relay()


class TestHousekeeping:
    def test_forgets_what_is_done_and_old_and_nothing_else(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        now = clock.now()
        old = now - housekeeping.DONE_KEPT_FOR - timedelta(days=1)
        event = Event.objects.create(name="tests.x", created_at=old)
        for state in Delivery.State:
            Delivery.objects.create(event=event, handler=f"{state} old", state=state, next_at=old, done_at=old)
        Delivery.objects.create(event=event, handler="done new", state="done", next_at=now, done_at=now)
        for work_state in DueWork.State:
            DueWork.objects.create(kind="k", run_key=work_state, state=work_state, due_at=old, created_at=old)
        DueWork.objects.create(kind="k", run_key="new", state="done", due_at=now, created_at=now)
        for age in (timedelta(), idempotency.KEPT_FOR + timedelta(hours=1)):
            IdempotencyKey.objects.create(client="c", key=str(age), request_hash=b"h", created_at=clock.real() - age)
        gone = housekeeping.run()
        assert (gone["deliveries"], gone["due_work"], gone["idempotency_keys"]) == (1, 2, 1)
        assert set(Delivery.objects.values_list("handler", flat=True)) == {"waiting old", "dead old", "done new"}
        assert set(DueWork.objects.values_list("run_key", flat=True)) == {"waiting", "dead", "new"}
        assert Event.objects.exists()


class Refused(HubError):
    code = "refused_by_test"
    http_status = 409


class TestMiddleware:
    def request(self, user: object = None) -> HttpRequest:
        request = RequestFactory().get("/")
        request.user = user or AnonymousUser()  # type: ignore[assignment]
        return request

    def test_tells_the_database_who_is_signed_in(self, db: None) -> None:
        seen: list[object] = []

        def view(request: HttpRequest) -> HttpResponse:
            seen.append(scope_current())
            return HttpResponse()

        party = uuid4()
        for user in (None, type("P", (), {"is_authenticated": True, "is_staff": False, "party_id": party})()):
            ScopeMiddleware(view)(self.request(user))
        assert seen == [None, party]

    def test_lets_no_browser_keep_a_persons_page(self) -> None:
        person = type("P", (), {"is_authenticated": True})()
        through = SecurityHeadersMiddleware(lambda request: HttpResponse())
        assert through(self.request(person)).headers["Cache-Control"] == "no-store"
        assert "Cache-Control" not in through(self.request()).headers
        assert "camera=()" in through(self.request()).headers["Permissions-Policy"]

    def test_gives_every_request_an_id(self) -> None:
        def view(request: HttpRequest) -> HttpResponse:
            request.resolver_match = None
            return HttpResponse()

        through = RequestLogMiddleware(view)
        assert through(self.request()).headers["X-Request-Id"] != through(self.request()).headers["X-Request-Id"]

    def test_turns_only_refusals_into_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(middleware, "render", lambda request, template, context, status: HttpResponse(template, status=status))
        through = HubErrorMiddleware(lambda request: HttpResponse())
        response = through.process_exception(self.request(), Refused())
        assert response is not None
        assert (response.status_code, response.content) == (409, b"errors/refused.html")
        assert through.process_exception(self.request(), ValueError()) is None


class TestTasks:
    def test_lead_to_the_work(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        called: list[str] = []

        def note(name: str) -> Callable[..., int]:
            def noted(**_: object) -> int:
                called.append(name)
                return 0

            return noted

        for module, name in ((events, "relay"), (due, "sweep"), (rates, "refresh"), (housekeeping, "run")):
            monkeypatch.setattr(module, name, note(name))
        for task in tasks.BY_NAME.values():
            task(anything="ignored")
        assert called == ["relay", "sweep", "refresh", "run"]
