"""Webhooks: signed, retried, kept through a kill, and wrong in every way that was asked for."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import pairwise

import pytest
import requests
import stripe

from tests.unit.sandbox.outside import Receiver, Sandbox, eventually

PAID = ["payment_intent.succeeded", "checkout.session.completed"]


class TestDelivery:
    def test_follows_a_payment_in_order_and_signed(self, sandbox: Sandbox, receiver: Receiver) -> None:
        session = sandbox.paid()
        event = receiver.wait_for("checkout.session.completed")[0]
        assert receiver.types == PAID
        assert (event.data.object["id"], event.data.object["payment_status"]) == (session.id, "paid")
        assert event.data.object["client_reference_id"] == "top-up-1"

    def test_follows_expiry_decline_and_refund(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.api.v1.checkout.sessions.expire(sandbox.session().id)
        sandbox.type_card(sandbox.session().id, "4000000000000002")
        intent = str(sandbox.paid().payment_intent)
        sandbox.api.v1.refunds.create({"payment_intent": intent, "amount": 500})
        receiver.wait_for("refund.updated")
        assert receiver.types == [
            "checkout.session.expired",
            "payment_intent.payment_failed",
            *PAID,
            "refund.created",
            "charge.refunded",
            "refund.updated",
        ]
        assert receiver.wait_for("charge.refunded")[0].data.object["amount_refunded"] == 500

    def test_is_tried_again_until_2xx(self, sandbox: Sandbox, receiver: Receiver) -> None:
        receiver.answers += [500, 301, 200]
        sandbox.api.v1.checkout.sessions.expire(sandbox.session().id)
        eventually(lambda: len(receiver.received) == 3)
        assert [one.answered for one in receiver.received] == [500, 301, 200]
        assert len({one.event.id for one in receiver.received}) == 1
        waits = [after.at - before.at for before, after in pairwise(receiver.received)]
        assert waits[0] >= 0.4
        assert waits[1] >= 0.9
        sent = eventually(lambda: [one for one in _deliveries(sandbox) if one["state"] == "delivered"])
        assert (sent[0]["attempts"], sent[0]["last_status"], sent[0]["type"]) == (3, 200, "checkout.session.expired")

    def test_can_be_asked_for_again(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.paid()
        event = receiver.wait_for("checkout.session.completed")[0]
        sandbox.control(f"events/{event.id}/resend")
        again = receiver.wait_for("checkout.session.completed", times=2)
        assert {one.id for one in again} == {event.id}

    def test_never_keeps_the_page_waiting(self, sandbox: Sandbox, receiver: Receiver) -> None:
        # A port where nobody answers stands for a hub that is down.
        sandbox.control("endpoint", url="http://127.0.0.1:1/", secret="whsec_x")
        started = time.monotonic()
        assert sandbox.paid().payment_status == "paid"
        assert time.monotonic() - started < 2

    def test_survives_a_kill(self, own_sandbox: Sandbox, receiver: Receiver) -> None:
        own_sandbox.faults(webhook="late", late_seconds=2, count=1)
        session = own_sandbox.paid()
        own_sandbox.kill()
        assert receiver.received == []
        own_sandbox.start()
        assert own_sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
        assert receiver.wait_for("checkout.session.completed")[0].data.object["id"] == session.id
        assert own_sandbox.log.count("Traceback") == 0

    def test_of_slow_payments_survives_a_kill(self, own_sandbox: Sandbox, receiver: Receiver) -> None:
        session = own_sandbox.paid("4000000000000341")
        assert (session.status, session.payment_status) == ("complete", "unpaid")
        own_sandbox.kill()
        own_sandbox.start()
        done = receiver.wait_for("checkout.session.async_payment_succeeded", seconds=20)[0]
        assert (done.data.object["id"], done.data.object["payment_status"]) == (session.id, "paid")


class TestFaults:
    def test_late(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.faults(webhook="late", late_seconds=1, count=1)
        sandbox.paid()
        started = time.time()
        receiver.wait_for("checkout.session.completed")
        assert receiver.received[0].at - started > 0.8

    def test_lost_once(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.faults(webhook="lost", count=1)
        lost, sent = sandbox.paid(), sandbox.paid()
        assert receiver.wait_for("checkout.session.completed")[0].data.object["id"] == sent.id
        assert [one["state"] for one in _deliveries(sandbox)].count("lost") == 2
        # The truth can still be asked for.
        assert sandbox.api.v1.checkout.sessions.retrieve(lost.id).payment_status == "paid"

    def test_duplicate(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.faults(webhook="duplicate", count=1)
        sandbox.paid()
        twice = receiver.wait_for("checkout.session.completed", times=2)
        assert twice[0].id == twice[1].id

    def test_reordered(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.faults(webhook="reordered", count=1)
        sandbox.paid()
        receiver.wait_for("payment_intent.succeeded")
        assert receiver.types == PAID[::-1]

    def test_forged_beside_the_genuine(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.faults(webhook="forged", count=1)
        sandbox.paid()
        receiver.wait_for("checkout.session.completed")
        assert [one.genuine for one in receiver.received] == [False, True, False, True]

    def test_a_forged_claim_that_an_open_session_is_paid(self, sandbox: Sandbox, receiver: Receiver) -> None:
        session = sandbox.session()
        sandbox.control("forge", session=session.id)
        forged = eventually(lambda: receiver.received)[0]
        assert not forged.genuine
        assert session.id.encode() in forged.body
        assert b'"payment_status": "paid"' in forged.body
        with pytest.raises(stripe.SignatureVerificationError):
            _ = forged.event
        assert sandbox.api.v1.events.list().data == []

    def test_stay_until_changed_without_a_count(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.faults(webhook="lost")
        for _ in range(3):
            sandbox.paid()
        sandbox.faults(webhook="normal")
        last = sandbox.paid()
        assert receiver.wait_for("checkout.session.completed")[0].data.object["id"] == last.id

    def test_timeout_after_commit_makes_the_object_once(self, sandbox: Sandbox) -> None:
        sandbox.faults(create="timeout_after_commit", seconds=30, count=1)
        client = sandbox.client(timeout=0.7)
        wish = {
            "mode": "payment",
            "success_url": "https://hub.example/",
            "line_items": [{"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "x"}}}],
        }
        with pytest.raises(stripe.APIConnectionError):
            client.v1.checkout.sessions.create(wish, {"idempotency_key": "t1"})  # type: ignore[arg-type]
        made = sandbox.api.v1.checkout.sessions.list().data
        assert len(made) == 1
        again = client.v1.checkout.sessions.create(wish, {"idempotency_key": "t1"})  # type: ignore[arg-type]
        assert again.id == made[0].id

    def test_timeout_before_commit_makes_nothing(self, sandbox: Sandbox) -> None:
        sandbox.faults(create="timeout_before_commit", seconds=0, count=1)
        with pytest.raises(stripe.APIConnectionError):
            sandbox.session()
        assert sandbox.api.v1.checkout.sessions.list().data == []

    def test_error_500_makes_nothing_and_is_not_kept(self, sandbox: Sandbox) -> None:
        sandbox.faults(create="error_500", count=1)
        with pytest.raises(stripe.APIError) as caught:
            sandbox.session(key="e1")
        assert caught.value.http_status == 500
        assert sandbox.session(key="e1").status == "open"
        assert len(sandbox.api.v1.checkout.sessions.list().data) == 1

    def test_error_500_after_commit_is_kept_under_the_key(self, sandbox: Sandbox) -> None:
        sandbox.faults(create="error_500_after_commit", count=1)
        for _ in range(2):
            with pytest.raises(stripe.APIError):
                sandbox.session(key="e2")
        assert len(sandbox.api.v1.checkout.sessions.list().data) == 1

    def test_rate_limited(self, sandbox: Sandbox) -> None:
        sandbox.faults(retrieve="rate_limited", count=1)
        with pytest.raises(stripe.RateLimitError):
            sandbox.api.v1.balance.retrieve()
        sandbox.api.v1.balance.retrieve()

    def test_slow(self, sandbox: Sandbox) -> None:
        sandbox.faults(refund="slow", seconds=0.6, count=1)
        intent = str(sandbox.paid().payment_intent)
        started = time.monotonic()
        sandbox.api.v1.refunds.create({"payment_intent": intent})
        assert time.monotonic() - started > 0.5

    def test_are_survived_by_the_library_itself(self, sandbox: Sandbox) -> None:
        sandbox.faults(create="timeout_after_commit", seconds=0, count=1)
        client = sandbox.client(retries=2)
        client.v1.checkout.sessions.create(
            {
                "success_url": "https://hub.example/",
                "mode": "payment",
                "line_items": [{"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "x"}}}],
            }
        )
        assert len(sandbox.api.v1.checkout.sessions.list().data) == 1

    @pytest.mark.parametrize(
        "wish",
        [{"webhook": "blue"}, {"colour": "late"}, {"webhook": 5}, {"create": "slow", "seconds": -1}, {"create": "slow", "count": "x"}],
    )
    def test_unknown_ones_are_refused(self, sandbox: Sandbox, wish: dict[str, object]) -> None:
        assert requests.post(f"{sandbox.url}/control/faults", json=wish, timeout=5).status_code == 400


def _deliveries(sandbox: Sandbox) -> list[dict[str, object]]:
    found: list[dict[str, object]] = requests.get(f"{sandbox.url}/control/deliveries", timeout=5).json()["deliveries"]
    return found


class TestSignature:
    def test_carries_the_hub_s_time(self, sandbox: Sandbox, receiver: Receiver) -> None:
        sandbox.paid()
        receiver.wait_for("checkout.session.completed")
        stamp = int(receiver.received[0].signature.split(",")[0].removeprefix("t="))
        assert abs(timedelta(seconds=stamp - time.time())) < timedelta(seconds=5)
