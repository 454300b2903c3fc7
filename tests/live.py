"""A whole hub for one test: web server and worker in threads of this process, the sandbox beside it, a database of its own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import requests
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections
from django.test import override_settings

from hub.runtime.ports import free_port
from payments.gateways import bank_gateway, gateway
from tests import databases

T = TypeVar("T")
WEBHOOK_SECRET = "whsec_of_this_test_run"
STRIPE_KEY = "sk_test_of_this_test_run"
BANK_KEY = "bk_test_of_this_test_run"


def eventually(what: Callable[[], T], *, seconds: float = 15, why: str = "") -> T:
    """Wait until `what` gives something true, and return it."""
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {why or what}")
        time.sleep(0.05)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadedWSGIServer):
    """Closes the database connections that each request's thread opened."""

    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


@dataclass
class LiveHub:
    """`url` is the hub, `sandbox` the outside world; both without a trailing slash."""

    url: str
    sandbox: str
    database: str

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        """What lies in the inbox for this address, newest first."""
        answer = requests.get(f"{self.sandbox}/inbox/messages.json", params={"to": address}, timeout=5)
        answer.raise_for_status()
        found = answer.json()
        messages: list[dict[str, Any]] = found["messages"] if isinstance(found, dict) else found
        return messages

    def code_for(self, address: str, *, seen: int = 0) -> str:
        """The one-time code of the newest mail to this address, once there are more than `seen` mails."""
        mails = eventually(lambda: found if len(found := self.mails_to(address)) > seen else [], why=f"a mail to {address}")
        text = mails[0].get("text") or mails[0].get("body") or ""
        code = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", text, re.MULTILINE)
        assert code, f"no code in the mail: {text!r}"
        return code[1]

    def faults(self, **faults: Any) -> None:
        requests.post(f"{self.sandbox}/control/faults", json=faults, timeout=5).raise_for_status()


@contextlib.contextmanager
def sandbox_running(*, state: Path, port: int, smtp_port: int, hub_url: str, database: str) -> Iterator[str]:
    env = {
        **os.environ,
        "SANDBOX_PORT": str(port),
        "SANDBOX_SMTP_PORT": str(smtp_port),
        "HUB_SANDBOX_STATE": str(state),
        "HUB_WEBHOOK_URL": f"{hub_url}/webhooks/stripe/",
        "HUB_PUBLIC_URL": hub_url,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_SECRET_KEY": STRIPE_KEY,
        "BANK_API_KEY": BANK_KEY,
        "SANDBOX_CLOCK_DATABASE_URL": databases.url_for(database),
    }
    state.mkdir(parents=True, exist_ok=True)
    with (state / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "sandbox"], env=env, cwd=databases.ROOT, stdout=log, stderr=log)
    url = f"http://localhost:{port}"
    try:
        eventually(lambda: _answers(f"{url}/healthz"), why=f"the sandbox, see {state / 'log'}")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


@contextlib.contextmanager
def _web(port: int) -> Iterator[None]:
    from django.core.wsgi import get_wsgi_application

    server = _Server(("127.0.0.1", port), _QuietHandler)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextlib.contextmanager
def _worker() -> Iterator[None]:
    from core import due, events

    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            events.relay()
            due.sweep()
            due.sweep(queue="screening")
            stop.wait(0.05)
        connections.close_all()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


@contextlib.contextmanager
def running(database: str, state: Path) -> Iterator[LiveHub]:
    port, sandbox_port, smtp_port = free_port(), free_port(), free_port()
    url = f"http://localhost:{port}"
    with sandbox_running(state=state, port=sandbox_port, smtp_port=smtp_port, hub_url=url, database=database) as sandbox:
        values = {
            "HUB_PUBLIC_URL": url,
            "SANDBOX_URL": sandbox,
            "STRIPE_API_BASE": sandbox,
            "STRIPE_SECRET_KEY": STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "BANK_API_BASE": sandbox,
            "BANK_API_KEY": BANK_KEY,
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": smtp_port,
            "EMAIL_USE_TLS": False,
            "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "testserver"],
            "CSRF_TRUSTED_ORIGINS": [url],
            "DEBUG": settings.DEBUG,
        }
        with override_settings(**values), _web(port), _worker():
            # The gateway of the hub before this one would still speak to that one's sandbox.
            gateway.cache_clear()
            bank_gateway.cache_clear()
            yield LiveHub(url=url, sandbox=sandbox, database=database)
        gateway.cache_clear()
        bank_gateway.cache_clear()
