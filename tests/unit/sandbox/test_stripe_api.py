"""The provider as the official library sees it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import requests
import stripe

from tests.unit.sandbox.outside import KEY, Sandbox

SESSION_FORM = {
    "mode": "payment",
    "success_url": "https://hub.example/done",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "5000",
    "line_items[0][price_data][product_data][name]": "Top-up",
}


def post(sandbox: Sandbox, path: str, form: Any, **headers: str) -> requests.Response:
    return requests.post(f"{sandbox.url}/v1/{path}", data=form, headers={"Authorization": f"Bearer {KEY}", **headers}, timeout=10)


def error_of(answer: requests.Response) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    return error


class TestSessions:
    def test_are_created_open_and_unpaid(self, sandbox: Sandbox) -> None:
        session = sandbox.session(amount=1250, metadata={"top_up": "7"})
        assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
        assert (session.amount_total, session.currency, session.client_reference_id) == (1250, "eur", "top-up-1")
        assert session.url == f"{sandbox.url}/pay/{session.id}"
        assert session.to_dict()["metadata"] == {"top_up": "7"}
        assert session.expires_at - session.created == 24 * 3600

    def test_can_be_retrieved_with_what_is_expanded(self, sandbox: Sandbox) -> None:
        made = sandbox.paid(payment_intent_data={"description": "For the wallet", "metadata": {"wallet": "9"}})
        session = sandbox.api.v1.checkout.sessions.retrieve(
            made.id, {"expand": ["line_items", "payment_intent.latest_charge.balance_transaction"]}
        )
        intent: Any = session.payment_intent
        assert session.to_dict()["line_items"]["data"][0]["amount_total"] == 5000
        assert (intent.status, intent.amount_received, intent.description) == ("succeeded", 5000, "For the wallet")
        assert intent.metadata["wallet"] == "9"
        assert intent.latest_charge.paid
        assert intent.latest_charge.payment_method_details.card.last4 == "4242"
        assert intent.latest_charge.balance_transaction.net == 5000 - 75

    def test_are_listed_newest_first_in_pages(self, sandbox: Sandbox) -> None:
        ids = [sandbox.session().id for _ in range(5)][::-1]
        first = sandbox.api.v1.checkout.sessions.list({"limit": 2})
        assert ([one.id for one in first.data], first.has_more) == (ids[:2], True)
        assert [one.id for one in first.auto_paging_iter()] == ids

    def test_are_found_by_their_payment(self, sandbox: Sandbox) -> None:
        paid = sandbox.paid()
        sandbox.session()
        found = sandbox.api.v1.checkout.sessions.list({"payment_intent": str(paid.payment_intent)})
        assert [one.id for one in found.data] == [paid.id]

    def test_can_be_expired_once(self, sandbox: Sandbox) -> None:
        session = sandbox.session()
        expired = sandbox.api.v1.checkout.sessions.expire(session.id)
        assert (expired.status, expired.url) == ("expired", None)
        with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
            sandbox.api.v1.checkout.sessions.expire(session.id)

    def test_add_up_their_lines(self, sandbox: Sandbox) -> None:
        form = {
            **SESSION_FORM,
            "line_items[1][quantity]": "3",
            "line_items[1][price_data][currency]": "EUR",
            "line_items[1][price_data][unit_amount_decimal]": "33.5",
            "line_items[1][price_data][product_data][name]": "Fee",
        }
        assert post(sandbox, "checkout/sessions", form).json()["amount_total"] == 5000 + 101


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "code", "param"),
        [
            ({"success_url": None}, "parameter_missing", "success_url"),
            ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
            ({"success_url": "https://a:b/"}, "url_invalid", "success_url"),
            ({"cancel_url": ""}, "parameter_invalid_empty", "cancel_url"),
            ({"colour": "blue"}, "parameter_unknown", "colour"),
            ({"line_items[0][colour]": "blue"}, "parameter_unknown", "line_items[0][colour]"),
            ({"line_items[0][quantity]": "0"}, "parameter_invalid_integer", "line_items[0][quantity]"),
            ({"line_items[0][quantity]": None}, "parameter_missing", "line_items[0][quantity]"),
            ({"line_items[0][price_data][unit_amount]": "1e400"}, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
            ({"line_items[0][price_data][unit_amount]": "NaN"}, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
            ({"line_items[0][price_data][unit_amount]": "-1"}, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
            ({"line_items[0][price_data][unit_amount]": str(2**63)}, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
            ({"line_items[0][price_data][unit_amount]": "۵۰۰۰"}, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
            ({"line_items[0][price_data][currency]": "xyz"}, None, "line_items[0][price_data][currency]"),
            ({"line_items[0][price_data][product_data][name]": None}, "parameter_missing", "line_items[0][price_data][product_data]"),
            ({"mode": "subscription"}, None, "mode"),
            ({"expires_at": "5"}, None, "expires_at"),
            ({"metadata[a]": "x" * 501}, None, "metadata[a]"),
            ({"mode[x]": "payment"}, None, "mode"),
            ({"line_items": "none"}, None, "line_items"),
        ],
    )
    def test_name_the_parameter(self, sandbox: Sandbox, change: dict[str, str | None], code: str | None, param: str) -> None:
        form = {name: value for name, value in {**SESSION_FORM, **change}.items() if value is not None}
        answer = post(sandbox, "checkout/sessions", form)
        error = error_of(answer)
        assert (answer.status_code, error["type"], error.get("code"), error["param"]) == (400, "invalid_request_error", code, param)

    @pytest.mark.parametrize(
        ("amount", "currency", "code"),
        [
            (49, "eur", "amount_too_small"),
            (299, "sek", "amount_too_small"),
            (49, "jpy", "amount_too_small"),
            (0, "usd", "amount_too_small"),
            (100_000_000, "eur", "amount_too_large"),
            (5125, "kwd", "parameter_invalid_integer"),
            (50_050, "isk", "parameter_invalid_integer"),
        ],
    )
    def test_know_the_currencies(self, sandbox: Sandbox, amount: int, currency: str, code: str) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.session(amount=amount, currency=currency)
        assert caught.value.code == code

    @pytest.mark.parametrize(("amount", "currency"), [(50, "eur"), (50, "jpy"), (5120, "kwd"), (50_000, "isk"), (99_999_999, "eur")])
    def test_let_the_limits_themselves_pass(self, sandbox: Sandbox, amount: int, currency: str) -> None:
        assert sandbox.session(amount=amount, currency=currency).amount_total == amount

    def test_without_a_key_or_with_a_wrong_one_are_401(self, sandbox: Sandbox) -> None:
        assert requests.get(f"{sandbox.url}/v1/balance", timeout=5).status_code == 401
        with pytest.raises(stripe.AuthenticationError) as caught:
            sandbox.client(key="sk_live_0123456789abcdefghijkl").v1.balance.retrieve()
        assert "0123456789" not in str(caught.value)

    def test_basic_auth_works_as_with_curl(self, sandbox: Sandbox) -> None:
        assert requests.get(f"{sandbox.url}/v1/balance", auth=(KEY, ""), timeout=5).status_code == 200

    def test_of_unknown_objects_and_addresses_are_404(self, sandbox: Sandbox) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.api.v1.checkout.sessions.retrieve("cs_test_nothing")
        assert (caught.value.http_status, caught.value.code, caught.value.param) == (404, "resource_missing", "session")
        answer = post(sandbox, "nonsense", {})
        assert (answer.status_code, error_of(answer)["type"]) == (404, "invalid_request_error")
        assert answer.headers["Request-Id"].startswith("req_")

    @pytest.mark.parametrize(
        "form", ["=", "[", "a[b", "a]b=1", "a" + "[x]" * 20 + "=1", "a=1&a[b]=2", "a[b]=2&a=1", "%ff=1", "a=%ff", "\u20ac"]
    )
    def test_of_broken_forms_are_400(self, sandbox: Sandbox, form: str) -> None:
        assert post(sandbox, "checkout/sessions", form.encode()).status_code == 400

    def test_of_too_many_fields_are_400(self, sandbox: Sandbox) -> None:
        assert post(sandbox, "checkout/sessions", "&".join(f"a{n}=1" for n in range(5000))).status_code == 400

    def test_do_not_expand_what_is_not_an_object(self, sandbox: Sandbox) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            sandbox.api.v1.checkout.sessions.retrieve(sandbox.session().id, {"expand": ["currency"]})


class TestIdempotency:
    def test_replays_the_same_answer(self, sandbox: Sandbox) -> None:
        first = post(sandbox, "checkout/sessions", SESSION_FORM, **{"Idempotency-Key": "k1"})
        again = post(sandbox, "checkout/sessions", SESSION_FORM, **{"Idempotency-Key": "k1"})
        assert (first.status_code, first.content) == (again.status_code, again.content)
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Original-Request"] == first.headers["Request-Id"]
        assert len(sandbox.api.v1.checkout.sessions.list().data) == 1

    def test_refuses_other_parameters_and_other_endpoints(self, sandbox: Sandbox) -> None:
        sandbox.session(key="k1")
        with pytest.raises(stripe.IdempotencyError) as caught:
            sandbox.session(key="k1", amount=6000)
        assert caught.value.http_status == 400
        with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
            sandbox.api.v1.refunds.create({"charge": "ch_1"}, {"idempotency_key": "k1"})

    def test_keeps_the_refusals_of_execution(self, sandbox: Sandbox) -> None:
        paid = sandbox.paid()
        wish = {"payment_intent": str(paid.payment_intent), "amount": "6000"}
        first = post(sandbox, "refunds", wish, **{"Idempotency-Key": "r1"})
        again = post(sandbox, "refunds", wish, **{"Idempotency-Key": "r1"})
        assert first.status_code == again.status_code == 400
        assert first.content == again.content
        assert again.headers["Idempotent-Replayed"] == "true"

    def test_keeps_no_answer_to_bad_parameters(self, sandbox: Sandbox) -> None:
        assert post(sandbox, "checkout/sessions", {"mode": "payment"}, **{"Idempotency-Key": "k1"}).status_code == 400
        assert sandbox.session(key="k1").status == "open"

    def test_answers_409_while_the_first_is_running(self, sandbox: Sandbox) -> None:
        sandbox.faults(create="slow", seconds=1.5, count=1)
        answers: list[requests.Response] = []

        def create() -> None:
            answers.append(post(sandbox, "checkout/sessions", SESSION_FORM, **{"Idempotency-Key": "k1"}))

        first = threading.Thread(target=create)
        first.start()
        while sandbox.control("faults")["faults"]["create"]["mode"] == "slow":
            pass
        second = post(sandbox, "checkout/sessions", SESSION_FORM, **{"Idempotency-Key": "k1"})
        first.join()
        assert (second.status_code, error_of(second)["code"]) == (409, "idempotency_key_in_use")
        assert answers[0].status_code == 200

    def test_makes_one_object_of_many_at_once(self, sandbox: Sandbox) -> None:
        answers: list[requests.Response] = []

        def create() -> None:
            answers.append(post(sandbox, "checkout/sessions", SESSION_FORM, **{"Idempotency-Key": "k1"}))

        threads = [threading.Thread(target=create) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert len({answer.json()["id"] for answer in answers if answer.status_code == 200}) == 1

    def test_refuses_a_key_that_is_too_long(self, sandbox: Sandbox) -> None:
        assert post(sandbox, "checkout/sessions", SESSION_FORM, **{"Idempotency-Key": "k" * 256}).status_code == 400


class TestRefunds:
    def test_never_pass_the_charge(self, sandbox: Sandbox) -> None:
        intent = str(sandbox.paid().payment_intent)
        part = sandbox.api.v1.refunds.create({"payment_intent": intent, "amount": 2000, "reason": "requested_by_customer"})
        assert (part.status, part.amount, part.currency) == ("succeeded", 2000, "eur")
        with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
            sandbox.api.v1.refunds.create({"payment_intent": intent, "amount": 3001})
        rest = sandbox.api.v1.refunds.create({"payment_intent": intent})
        assert rest.amount == 3000
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.api.v1.refunds.create({"payment_intent": intent})
        assert caught.value.code == "charge_already_refunded"
        charge = sandbox.api.v1.charges.retrieve(str(part.charge))
        assert (charge.amount_refunded, charge.refunded) == (5000, True)
        listed = sandbox.api.v1.refunds.list({"payment_intent": intent})
        assert [one.id for one in listed.data] == [rest.id, part.id]
        assert sandbox.api.v1.refunds.retrieve(part.id).amount == 2000

    def test_never_pass_the_charge_when_asked_at_once(self, sandbox: Sandbox) -> None:
        intent = str(sandbox.paid().payment_intent)
        statuses: list[int] = []

        def refund() -> None:
            statuses.append(post(sandbox, "refunds", {"payment_intent": intent, "amount": "1500"}).status_code)

        threads = [threading.Thread(target=refund) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] * 3 + [400] * 7

    @pytest.mark.parametrize("amount", ["0", "-5", "", "1.5"])
    def test_of_no_amount_are_refused(self, sandbox: Sandbox, amount: str) -> None:
        intent = str(sandbox.paid().payment_intent)
        assert post(sandbox, "refunds", {"payment_intent": intent, "amount": amount}).status_code == 400

    def test_need_a_payment_that_succeeded(self, sandbox: Sandbox) -> None:
        session = sandbox.session()
        sandbox.type_card(session.id, "4000000000000002")
        intent = str(sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_intent)
        with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
            sandbox.api.v1.refunds.create({"payment_intent": intent})
        with pytest.raises(stripe.InvalidRequestError, match="should be provided"):
            sandbox.api.v1.refunds.create({})

    def test_may_be_pending_first(self, sandbox: Sandbox) -> None:
        intent = str(sandbox.paid("4000000000007726").payment_intent)
        refund = sandbox.api.v1.refunds.create({"payment_intent": intent})
        assert refund.status == "pending"
        sandbox.control("settle")
        assert sandbox.api.v1.refunds.retrieve(refund.id).status == "succeeded"

    def test_may_fail_later_and_give_the_charge_back(self, sandbox: Sandbox) -> None:
        intent = str(sandbox.paid("4000000000005126").payment_intent)
        refund = sandbox.api.v1.refunds.create({"payment_intent": intent, "amount": 2000})
        sandbox.control("settle")
        failed = sandbox.api.v1.refunds.retrieve(refund.id)
        assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
        charge = sandbox.api.v1.charges.retrieve(str(refund.charge))
        assert (charge.amount_refunded, charge.refunded) == (0, False)
        balance = sandbox.api.v1.balance.retrieve()
        assert [(one.currency, one.amount) for one in balance.available] == [("eur", 5000 - 75)]


class TestEvents:
    def test_tell_what_happened_in_order(self, sandbox: Sandbox) -> None:
        session = sandbox.paid()
        events = sandbox.api.v1.events.list({"limit": 10}).data
        assert [event.type for event in events][::-1] == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
        ]
        retrieved = sandbox.api.v1.events.retrieve(events[0].id)
        assert retrieved.data.object["id"] == session.id
        assert retrieved.to_dict()["request"]["id"] is None

    def test_are_filtered_by_type_and_time(self, sandbox: Sandbox) -> None:
        sandbox.paid()
        types = ["payment_intent.succeeded", "charge.succeeded"]
        assert {event.type for event in sandbox.api.v1.events.list({"types": types}).data} == set(types)
        assert len(sandbox.api.v1.events.list({"type": "charge.succeeded"}).data) == 1
        assert sandbox.api.v1.events.list({"created": {"gte": 2**33}}).data == []

    def test_name_the_request_that_caused_them(self, sandbox: Sandbox) -> None:
        intent = str(sandbox.paid().payment_intent)
        sandbox.api.v1.refunds.create({"payment_intent": intent}, {"idempotency_key": "refund-1"})
        event = sandbox.api.v1.events.list({"type": "charge.refunded"}).data[0]
        assert event.to_dict()["request"]["idempotency_key"] == "refund-1"


def _strict(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema has it."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: _strict(value) for name, value in schema.items() if name not in {"nullable", "maxLength"}}
    return {"anyOf": [result, {"type": "null"}]} if schema.get("nullable") else result


class TestShapes:
    """Against the provider's own published interface description, where it lies beside the repository."""

    @pytest.fixture
    def published(self) -> dict[str, Any]:
        samples = os.environ.get("HUB_SAMPLES")
        path = Path(samples or "/nonexistent") / "specs" / "stripe-openapi.json"
        if not path.exists():
            pytest.skip("HUB_SAMPLES holds no interface description")
        return {"components": _strict(json.loads(path.read_text())["components"])}

    def test_agree_with_the_published_ones(self, sandbox: Sandbox, published: dict[str, Any]) -> None:
        session = sandbox.paid()
        intent = sandbox.api.v1.payment_intents.retrieve(str(session.payment_intent))
        refund = sandbox.api.v1.refunds.create({"payment_intent": intent.id})
        shown: list[tuple[str, Any]] = [
            ("checkout.session", session),
            ("checkout.session", sandbox.session()),
            ("payment_intent", intent),
            ("charge", sandbox.api.v1.charges.retrieve(str(intent.latest_charge))),
            ("refund", refund),
            ("balance", sandbox.api.v1.balance.retrieve()),
            ("balance_transaction", sandbox.api.v1.balance_transactions.list().data[0]),
            ("event", sandbox.api.v1.events.list().data[0]),
        ]
        for name, one in shown:
            schema = {"$ref": f"#/components/schemas/{name}", **published}
            problems = [
                f"{name}.{error.json_path}: {error.message[:200]}"
                for error in jsonschema.Draft7Validator(schema).iter_errors(one.to_dict())
            ]
            assert problems == []
