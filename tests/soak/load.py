"""
People who pay each other and top up through the API while the hub is being killed under them.

Each remembers what the hub has acknowledged. A call without a definite answer (refused connection, 5xx, "still running") is
repeated with its key, as a careful client does, until there is one.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import requests

TEST_CARD = {"number": "4242424242424242", "expiry": "12/40", "cvc": "123", "name": "Soak"}
FIRST_TOP_UP_MINOR = 500_00
# Below what asks for an approval.
MOST_MINOR = 29_00
TOP_UPS_OF_TEN = 2
FUNDED_SECONDS = 90.0
# Of one person between payments. Much faster, and what is measured is how long two processors need for what was put in line.
PAUSE_SECONDS = (0.2, 0.8)


class Unanswered(Exception):
    """The time was up before a call had a definite answer."""


@dataclass
class Acknowledged:
    """One answer of the hub: `payment_id` is empty where it refused."""

    key: str
    kind: str
    body: dict[str, Any]
    status: int
    payment_id: str
    paid: bool  # what makes it final: a transfer is by itself, a top-up once its card is charged


@dataclass
class Tally:
    """What all clients have seen; guarded by `lock`."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    repeats: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def payments(self) -> list[Acknowledged]:
        return [found for found in self.acknowledged if found.payment_id]


class Client(threading.Thread):
    def __init__(self, hub: str, me: dict[str, Any], others: list[str], tally: Tally, seed: int) -> None:
        super().__init__(name=me["handle"], daemon=True)
        self.hub, self.me, self.others, self.tally = hub, me, others, tally
        self.chance = random.Random(seed)
        self.session = requests.Session()
        self.session.trust_env = False
        self.funded, self.stopping = threading.Event(), threading.Event()
        self.answers_until = float("inf")
        self.number = 0
        self.failure: BaseException | None = None

    def sign_in(self) -> None:
        form = {"email": self.me["email"], "password": self.me["password"]}
        answer = self.session.post(f"{self.hub}/api/v1/auth/app/v1/auth/login", json=form, timeout=30)
        answer.raise_for_status()
        self.session.headers["X-Session-Token"] = answer.json()["meta"]["session_token"]

    def run(self) -> None:
        try:
            self.fund()
            while not self.stopping.is_set():
                if self.chance.randrange(10) < TOP_UPS_OF_TEN:
                    self.top_up(self.chance.randint(1_00, 60_00))
                else:
                    self.transfer()
                self.stopping.wait(self.chance.uniform(*PAUSE_SECONDS))
        except Unanswered:
            pass
        except BaseException as error:  # told by the main thread
            self.failure = error

    def fund(self) -> None:
        found = self.top_up(FIRST_TOP_UP_MINOR)
        while not self.stopping.is_set() and self.read(f"top-ups/{found.payment_id}").get("state") != "posted":
            time.sleep(0.2)
        self.funded.set()

    def transfer(self) -> None:
        body = {
            "wallet_id": self.me["wallet_id"],
            "payee": f"@{self.chance.choice(self.others)}",
            "amount": {"amount": self.chance.randint(1, MOST_MINOR), "currency": "EUR"},
            "note": "soak",
        }
        self.ask("transfers", body)

    def top_up(self, amount: int) -> Acknowledged:
        body = {"wallet_id": self.me["wallet_id"], "amount": {"amount": amount, "currency": "EUR"}}
        found, document = self.ask("top-ups", body)
        if not found.payment_id:
            return found
        # 202: the card provider's answer was lost with a killed process; the page's address comes later.
        url = document.get("checkout_url")
        for _ in range(120):
            if url or self.stopping.is_set():
                break
            time.sleep(0.5)
            url = self.read(f"top-ups/{found.payment_id}").get("checkout_url")
        # After the last kill nobody begins anything new.
        found.paid = bool(url) and not self.stopping.is_set() and self.pay(str(url))
        return found

    def pay(self, url: str) -> bool:
        try:
            return (
                self.session.post(url, data=TEST_CARD, allow_redirects=False, timeout=30, headers={"X-Session-Token": ""}).status_code
                == 303
            )
        except requests.RequestException:
            return False

    def ask(self, kind: str, body: dict[str, Any]) -> tuple[Acknowledged, dict[str, Any]]:
        self.number += 1
        key = f"{self.me['handle']}-{self.number}"
        answer = self.definite(key, kind, body)
        document = answer.json()
        payment_id = document["id"] if answer.status_code < 300 else ""
        found = Acknowledged(key, kind, body, answer.status_code, payment_id, paid=kind == "transfers")
        with self.tally.lock:
            self.tally.acknowledged.append(found)
            if not found.payment_id:
                code = str(document.get("code"))
                self.tally.refused[code] = self.tally.refused.get(code, 0) + 1
        return found, document

    def definite(self, key: str, kind: str, body: dict[str, Any]) -> requests.Response:
        """:raises Unanswered: not within the time."""
        while True:
            answer = self.once("POST", kind, key=key, json=body)
            if answer is not None and answer.status_code < 500 and not _later(answer):
                return answer
            if time.monotonic() > self.answers_until:
                with self.tally.lock:
                    self.tally.unanswered.append(key)
                raise Unanswered
            with self.tally.lock:
                self.tally.repeats += 1
            time.sleep(0.3)

    def read(self, path: str) -> dict[str, Any]:
        answer = self.once("GET", path)
        found: dict[str, Any] = answer.json() if answer is not None and answer.status_code == 200 else {}
        return found

    def once(self, method: str, path: str, *, key: str = "", json: Any = None) -> requests.Response | None:
        headers = {"Idempotency-Key": key} if key else {}
        try:
            return self.session.request(method, f"{self.hub}/api/v1/{path}", json=json, headers=headers, timeout=20)
        except requests.RequestException:
            return None


def _later(answer: requests.Response) -> bool:
    if answer.status_code == 429:
        return True
    return answer.status_code == 409 and answer.json().get("code") == "idempotency_running"


class Load:
    """All clients together."""

    def __init__(self, hub: str, people: list[dict[str, Any]], seed: int) -> None:
        self.tally = Tally()
        handles = [person["handle"] for person in people]
        self.clients = [
            Client(hub, person, [handle for handle in handles if handle != person["handle"]], self.tally, seed + number)
            for number, person in enumerate(people)
        ]

    def start(self) -> None:
        """
        Sign in, and go on once everybody has money.

        :raises RuntimeError: it did not come.
        """
        for client in self.clients:
            client.sign_in()
        for client in self.clients:
            client.start()
        until = time.monotonic() + FUNDED_SECONDS
        if not all(client.funded.wait(max(0.0, until - time.monotonic())) for client in self.clients):
            raise RuntimeError(f"the first top-ups did not arrive: {[client.failure for client in self.clients]}")

    def stop(self) -> None:
        """No new calls; those under way go on asking."""
        for client in self.clients:
            client.stopping.set()

    def join(self, answers_until: float) -> None:
        for client in self.clients:
            client.answers_until = answers_until
        for client in self.clients:
            client.join(max(0.0, answers_until - time.monotonic()) + 60)
            if client.failure:
                raise client.failure
