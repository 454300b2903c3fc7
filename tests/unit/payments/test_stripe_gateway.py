"""The Stripe gateway against answers in Stripe's published shape, served by a small HTTP server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from core.money import Money
from payments.gateways import base
from payments.gateways.stripe import webhooks
from payments.gateways.stripe.amounts import from_stripe, to_stripe
from payments.gateways.stripe.client import StripeGateway

DATA = Path(__file__).parent / "data"
REFERENCE = UUID("019aa7c0-0000-7000-8000-000000000001")
SESSION = "cs_test_a1bXk2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z6A7B8"
SECRET = "whsec_recorded"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Recorded:
    """Answers with the files it is given, in turn, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, float]] = []
        self.asked: list[tuple[str, str, dict[str, list[str]], dict[str, str]]] = []
        recorded = self

        class Handler(BaseHTTPRequestHandler):
            def do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                parts = urlsplit(self.path)
                recorded.asked.append((self.command, parts.path, parse_qs(body or parts.query), dict(self.headers)))
                status, answer, delay = recorded.answers.pop(0) if len(recorded.answers) > 1 else recorded.answers[0]
                time.sleep(delay)
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except ConnectionError:
                    pass  # the client stopped waiting, which is what the test is about

            do_GET = do_POST = do

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, *names: str, status: int = 200, delay: float = 0) -> None:
        self.answers = [(status, (DATA / f"{name}.json").read_bytes(), delay) for name in names]


@pytest.fixture
def provider() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.server.shutdown()
    recorded.server.server_close()


@pytest.fixture
def gateway(provider: Recorded) -> StripeGateway:
    return StripeGateway(secret_key="sk_test_recorded", webhook_secret=SECRET, api_base=provider.url, timeout=(0.5, 0.5))


def create(gateway: StripeGateway, amount: Money | None = None) -> base.Checkout:
    return gateway.checkout_create(
        reference=REFERENCE,
        amount=amount or Money(5000, "EUR"),
        title="Top-up",
        language="en",
        success_url="https://hub.example/ok",
        cancel_url="https://hub.example/no",
        expires_at=NOW + timedelta(hours=1),
    )


class TestCheckout:
    def test_create_sends_our_id_as_reference_and_idempotency_key(self, gateway: StripeGateway, provider: Recorded) -> None:
        provider.answer("session_open")
        page = create(gateway)
        method, path, form, headers = provider.asked[0]
        assert (method, path) == ("POST", "/v1/checkout/sessions")
        assert headers["Idempotency-Key"] == f"checkout:{REFERENCE}"
        assert form["client_reference_id"] == [str(REFERENCE)]
        assert form["line_items[0][price_data][unit_amount]"] == ["5000"]
        assert form["line_items[0][price_data][currency]"] == ["eur"]
        assert form["allowed_payment_method_types[0]"] == ["card"]
        assert page == base.Checkout(
            id=SESSION,
            reference=str(REFERENCE),
            state=base.CheckoutState.OPEN,
            amount=Money(5000, "EUR"),
            url="https://checkout.stripe.com/c/pay/cs_test_a1bXk2c3d4",
        )

    @pytest.mark.parametrize(
        ("name", "state"),
        [("open", "open"), ("paid", "paid"), ("expired", "expired"), ("processing", "processing"), ("failed", "failed")],
    )
    def test_get_reads_every_state(self, gateway: StripeGateway, provider: Recorded, name: str, state: str) -> None:
        provider.answer(f"session_{name}")
        page = gateway.checkout_get(SESSION)
        assert page.state is base.CheckoutState(state)
        assert page.provider_payment == ("pi_3ABCdEFghIJklMN01vwxyzab" if name in ("paid", "processing", "failed") else "")
        assert page.failure_code == ("card_declined" if name == "failed" else "")

    def test_find_recognises_our_reference_among_others(self, gateway: StripeGateway, provider: Recorded) -> None:
        provider.answer("session_list")
        found = gateway.checkout_find(reference=REFERENCE, since=NOW, until=NOW + timedelta(hours=1))
        assert found is not None
        assert found.id == SESSION
        assert provider.asked[0][2]["created[gte]"] == [str(int(NOW.timestamp()))]

    def test_find_answers_none_when_there_is_no_such_page(self, gateway: StripeGateway, provider: Recorded) -> None:
        provider.answer("session_list_empty")
        assert gateway.checkout_find(reference=REFERENCE, since=NOW, until=NOW) is None


class TestRefund:
    @pytest.mark.parametrize(("name", "state"), [("succeeded", "done"), ("pending", "pending"), ("failed", "failed")])
    def test_create_reads_every_state(self, gateway: StripeGateway, provider: Recorded, name: str, state: str) -> None:
        provider.answer(f"refund_{name}")
        refund = gateway.refund_create(reference=REFERENCE, provider_payment="pi_1", amount=Money(5000, "EUR"))
        assert refund.state is base.RefundState(state)
        assert refund.failure_code == ("expired_or_canceled_card" if name == "failed" else "")
        assert provider.asked[0][3]["Idempotency-Key"] == f"refund:{REFERENCE}"

    def test_find_recognises_our_reference(self, gateway: StripeGateway, provider: Recorded) -> None:
        provider.answer("refund_list")
        found = gateway.refund_find(reference=REFERENCE, provider_payment="pi_1")
        assert found is not None
        assert found.id == "re_3ABCdEFghIJklMN01a2b3c4d"


class TestErrors:
    def test_a_refusal_is_final_and_keeps_the_providers_code(self, gateway: StripeGateway, provider: Recorded) -> None:
        provider.answer("error_amount_too_small", status=400)
        with pytest.raises(base.GatewayRefused) as caught:
            create(gateway)
        assert caught.value.code == "amount_too_small"
        assert "words of the provider" not in str(caught.value)

    def test_no_answer_in_time_leaves_the_outcome_unknown(self, gateway: StripeGateway, provider: Recorded) -> None:
        provider.answer("session_open", delay=1.2)
        with pytest.raises(base.GatewayTimeout):
            create(gateway)
        # The library asked twice, as the same call.
        assert [asked[3]["Idempotency-Key"] for asked in provider.asked] == [f"checkout:{REFERENCE}"] * 2

    @pytest.mark.parametrize("status", [500, 502, 409])
    def test_a_fault_over_there_leaves_the_outcome_unknown(self, gateway: StripeGateway, provider: Recorded, status: int) -> None:
        provider.answer("error_key", status=status)
        with pytest.raises(base.GatewayTimeout):
            create(gateway)

    def test_a_key_used_with_other_words_leaves_the_outcome_unknown(self, gateway: StripeGateway, provider: Recorded) -> None:
        provider.answer("error_idempotency", status=400)
        with pytest.raises(base.GatewayTimeout):
            create(gateway)

    @pytest.mark.parametrize(("name", "status"), [("error_rate", 429), ("error_key", 401), ("error_key", 403)])
    def test_a_call_that_was_not_looked_at_did_nothing(self, gateway: StripeGateway, provider: Recorded, name: str, status: int) -> None:
        provider.answer(name, status=status)
        with pytest.raises(base.GatewayUnavailable):
            create(gateway)

    def test_nobody_listening_did_nothing(self) -> None:
        nobody = StripeGateway(secret_key="sk_test_x", webhook_secret="", api_base="http://127.0.0.1:9", timeout=(0.5, 0.5))
        with pytest.raises(base.GatewayUnavailable):
            create(nobody)

    def test_without_a_key_nothing_is_asked(self, provider: Recorded) -> None:
        with pytest.raises(base.GatewayUnavailable):
            create(StripeGateway(secret_key="", webhook_secret="", api_base=provider.url))
        assert provider.asked == []

    def test_an_answer_of_another_shape_leaves_the_outcome_unknown(self, gateway: StripeGateway, provider: Recorded) -> None:
        provider.answer("refund_list")
        with pytest.raises(base.GatewayTimeout):
            gateway.checkout_get(SESSION)


class TestAmounts:
    @pytest.mark.parametrize(
        ("amount", "number"),
        [
            (Money(1250, "EUR"), 1250),
            (Money(500, "JPY"), 500),
            (Money(12340, "KWD"), 12340),
            (Money(7, "ISK"), 700),
            (Money(300, "MGA"), 3),
        ],
    )
    def test_every_kind_of_currency_goes_there_and_back(self, amount: Money, number: int) -> None:
        assert to_stripe(amount) == number
        assert from_stripe(number, amount.currency.lower()) == amount

    @pytest.mark.parametrize("amount", [Money(12345, "KWD"), Money(150, "MGA"), Money(100, "IRR")])
    def test_what_stripe_cannot_carry_is_refused(self, amount: Money) -> None:
        with pytest.raises(base.GatewayRefused):
            to_stripe(amount)

    @pytest.mark.parametrize(("number", "currency"), [(1, "xxx"), (150, "isk"), (1, "")])
    def test_an_amount_that_does_not_exist_is_no_amount(self, number: int, currency: str) -> None:
        with pytest.raises(ValueError, match="no such amount"):
            from_stripe(number, currency)


class TestEvents:
    def body(self, name: str) -> bytes:
        return (DATA / f"event_{name}.json").read_bytes()

    def parse(self, gateway: StripeGateway, body: bytes, header: str | None) -> base.GatewayEvent:
        return gateway.event_parse(body=body, headers={} if header is None else {"Stripe-Signature": header}, now=NOW)

    @pytest.mark.parametrize(
        ("name", "topic", "object_id", "reference"),
        [
            ("completed", "checkout", SESSION, str(REFERENCE)),
            ("expired", "checkout", SESSION, str(REFERENCE)),
            ("async_failed", "checkout", SESSION, str(REFERENCE)),
            ("refund_updated", "refund", "re_3ABCdEFghIJklMN01a2b3c4d", str(REFERENCE)),
            ("other", "other", "cus_1", ""),
        ],
    )
    def test_a_signed_event_says_what_to_look_at(
        self, gateway: StripeGateway, name: str, topic: str, object_id: str, reference: str
    ) -> None:
        body = self.body(name)
        event = self.parse(gateway, body, webhooks.sign(body, secret=SECRET, at=NOW))
        assert (event.topic.value, event.object_id, event.reference) == (topic, object_id, reference)
        assert event.id.startswith("evt_1ABC")

    def test_another_secret_is_forged(self, gateway: StripeGateway) -> None:
        body = self.body("completed")
        with pytest.raises(base.WebhookForged):
            self.parse(gateway, body, webhooks.sign(body, secret="whsec_other", at=NOW))

    def test_one_changed_byte_is_forged(self, gateway: StripeGateway) -> None:
        body = self.body("completed")
        with pytest.raises(base.WebhookForged):
            self.parse(gateway, body.replace(b"5000", b"9000"), webhooks.sign(body, secret=SECRET, at=NOW))

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_an_old_or_future_signature_is_forged(self, gateway: StripeGateway, minutes: int) -> None:
        body = self.body("completed")
        with pytest.raises(base.WebhookForged):
            self.parse(gateway, body, webhooks.sign(body, secret=SECRET, at=NOW + timedelta(minutes=minutes)))

    @pytest.mark.parametrize("header", [None, "", "t=,v1=", "v1=abc", "t=1", "nonsense", "t=1,v0=abc"])
    def test_a_missing_or_broken_header_is_forged(self, gateway: StripeGateway, header: str | None) -> None:
        with pytest.raises(base.WebhookForged):
            self.parse(gateway, self.body("completed"), header)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b'{"id":1,"type":"x","data":{"object":{}}}',
            b'{"id":"evt","type":"x","data":[]}',
            b'{"id":"evt","type":"x","data":{"object":3}}',
        ],
    )
    def test_a_signed_body_that_is_no_event_is_forged(self, gateway: StripeGateway, body: bytes) -> None:
        with pytest.raises(base.WebhookForged):
            self.parse(gateway, body, webhooks.sign(body, secret=SECRET, at=NOW))

    def test_two_signatures_during_a_change_of_secrets_pass(self, gateway: StripeGateway) -> None:
        body = self.body("completed")
        right = webhooks.sign(body, secret=SECRET, at=NOW)
        assert self.parse(gateway, body, right.replace("v1=", f"v1={'0' * 64},v1=")).id == "evt_1ABCcompleted"

    def test_the_stored_body_reads_the_same_later(self, gateway: StripeGateway) -> None:
        body = self.body("refund_updated")
        assert gateway.event_read(body).object_id == json.loads(body)["data"]["object"]["id"]
