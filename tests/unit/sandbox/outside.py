"""A sandbox process and a webhook receiver, started by the tests as development starts them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import requests
import stripe

from hub.runtime.ports import free_port as free_port

ROOT = Path(__file__).parents[3]
KEY = "sk_test_of_these_tests"
SECRET = "whsec_of_these_tests"
T = TypeVar("T")


def eventually(what: Callable[[], T], *, seconds: float = 10) -> T:
    until = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.02)
    return found


@dataclass
class Received:
    body: bytes
    signature: str
    at: float
    answered: int

    @property
    def event(self) -> stripe.Event:
        """The event, if the signature is the provider's.

        :raises stripe.SignatureVerificationError: it is not.
        """
        event: stripe.Event = stripe.Webhook.construct_event(self.body, self.signature, SECRET)
        return event

    @property
    def genuine(self) -> bool:
        try:
            return bool(self.event)
        except stripe.SignatureVerificationError:
            return False


@dataclass
class Receiver:
    """Takes webhooks and answers with the next of `answers`, else 200."""

    port: int
    received: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks/stripe/"

    @property
    def types(self) -> list[str]:
        return [one.event.type for one in self.received if one.genuine]

    def wait_for(self, kind: str, *, times: int = 1, seconds: float = 10) -> list[stripe.Event]:
        def found() -> list[stripe.Event]:
            events = [one.event for one in list(self.received) if one.genuine and one.event.type == kind]
            return events if len(events) >= times else []

        return eventually(found, seconds=seconds)


@contextlib.contextmanager
def receiver_running(port: int) -> Iterator[Receiver]:
    receiver = Receiver(port)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.answers.pop(0) if receiver.answers else 200
            receiver.received.append(Received(body, self.headers["Stripe-Signature"], time.time(), status))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Sandbox:
    state: Path
    webhook_url: str
    port: int = field(default_factory=free_port)
    smtp_port: int = field(default_factory=free_port)
    clock_url: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> stripe.StripeClient:
        return self.client()

    def client(self, *, key: str = KEY, retries: int = 0, timeout: float = 20) -> stripe.StripeClient:
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=timeout),
        )

    def start(self) -> None:
        env = {
            **os.environ,
            "HUB_SANDBOX_STATE": str(self.state),
            "SANDBOX_PORT": str(self.port),
            "SANDBOX_SMTP_PORT": str(self.smtp_port),
            "SANDBOX_URL": self.url,
            "SANDBOX_CLOCK_DATABASE_URL": self.clock_url,
            "HUB_WEBHOOK_URL": self.webhook_url,
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "sandbox"], env=env, cwd=ROOT, stdout=log, stderr=log)
        eventually(self.answers, seconds=30)

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    @property
    def log(self) -> str:
        return (self.state / "log").read_text()

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/control/{path}", json=body, timeout=10)
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result

    def faults(self, **wish: Any) -> None:
        self.control("faults", **wish)

    def session(self, *, amount: int = 5000, currency: str = "eur", key: str = "", **params: Any) -> stripe.checkout.Session:
        wish: Any = {
            "mode": "payment",
            "line_items": [
                {"quantity": 1, "price_data": {"currency": currency, "unit_amount": amount, "product_data": {"name": "Top-up"}}}
            ],
            "success_url": f"http://127.0.0.1:{self.port}/?done={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"http://127.0.0.1:{self.port}/?cancelled=1",
            "client_reference_id": "top-up-1",
            **params,
        }
        return self.api.v1.checkout.sessions.create(wish, {"idempotency_key": key} if key else {})

    def type_card(self, session_id: str, number: str = "4242424242424242", **fields: str) -> requests.Response:
        """What the browser sends when a person presses Pay."""
        form = {"number": number, "expiry": "12 / 40", "cvc": "1234" if number.startswith("37") else "123", "name": "Åsa Test", **fields}
        return requests.post(f"{self.url}/pay/{session_id}", data=form, timeout=10, allow_redirects=False)

    def paid(self, number: str = "4242424242424242", **params: Any) -> stripe.checkout.Session:
        session = self.session(**params)
        assert self.type_card(session.id, number).status_code == 303
        return self.api.v1.checkout.sessions.retrieve(session.id)
