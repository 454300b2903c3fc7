"""The hosted payment page without a browser: what it accepts, refuses, keeps and shows."""

from __future__ import annotations

import html

import pytest
import requests

from tests.unit.sandbox.outside import Sandbox


def page(sandbox: Sandbox, session_id: str, path: str = "") -> requests.Response:
    return requests.get(f"{sandbox.url}/pay/{session_id}{path}", timeout=5, allow_redirects=False)


class TestPay:
    def test_shows_what_is_paid_and_that_it_is_a_sandbox(self, sandbox: Sandbox) -> None:
        session = sandbox.session(amount=123450)
        shown = page(sandbox, session.id)
        assert shown.status_code == 200
        assert "1,234.50 EUR" in shown.text
        assert "no real card" in shown.text
        assert "<script" not in shown.text

    @pytest.mark.parametrize(("amount", "currency", "text"), [(500, "jpy", "500 JPY"), (5120, "kwd", "5.120 KWD")])
    def test_writes_amounts_with_the_currency_s_decimals(self, sandbox: Sandbox, amount: int, currency: str, text: str) -> None:
        assert text in page(sandbox, sandbox.session(amount=amount, currency=currency).id).text

    @pytest.mark.parametrize("number", ["4242 4242 4242 4242", "5555555555554444", "378282246310005"])
    def test_a_good_card_returns_to_the_merchant(self, sandbox: Sandbox, number: str) -> None:
        session = sandbox.session()
        answer = sandbox.type_card(session.id, number)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{sandbox.url}/?done={session.id}")
        assert sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"

    @pytest.mark.parametrize(
        ("number", "message", "code", "decline_code"),
        [
            ("4000000000000002", "Your card was declined.", "card_declined", "generic_decline"),
            ("4000000000009995", "Your card has insufficient funds.", "card_declined", "insufficient_funds"),
            ("4000000000000069", "Your card has expired.", "expired_card", None),
        ],
    )
    def test_a_decline_keeps_the_session_open(
        self, sandbox: Sandbox, number: str, message: str, code: str, decline_code: str | None
    ) -> None:
        session = sandbox.session()
        answer = sandbox.type_card(session.id, number)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/pay/{session.id}")
        assert message in page(sandbox, session.id).text
        now = sandbox.api.v1.checkout.sessions.retrieve(session.id)
        assert now.status == "open"
        intent = sandbox.api.v1.payment_intents.retrieve(str(now.payment_intent))
        assert intent.status == "requires_payment_method"
        assert intent.last_payment_error
        assert intent.last_payment_error.code == code
        assert getattr(intent.last_payment_error, "decline_code", None) == decline_code
        sandbox.type_card(session.id)
        paid = sandbox.api.v1.checkout.sessions.retrieve(session.id)
        assert (paid.payment_status, paid.payment_intent) == ("paid", intent.id)
        charges = sandbox.api.v1.charges.list({"payment_intent": intent.id}).data
        assert [charge.status for charge in charges] == ["succeeded", "failed"]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"number": ""}, "Enter a card number"),
            ({"number": "4242424242424241"}, "do not add up"),
            ({"number": "4242"}, "12 to 19 digits"),
            ({"number": "4012888888881881"}, "Only test cards"),
            ({"number": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"}, "12 to 19 digits"),
            ({"expiry": ""}, "Enter the expiry"),
            ({"expiry": "13/40"}, "from 1 to 12"),
            ({"expiry": "01/20"}, "has expired"),
            ({"expiry": "soon"}, "month / year"),
            ({"expiry": "01/2999"}, "too far"),
            ({"cvc": ""}, "Enter the security code"),
            ({"cvc": "12"}, "has 3 digits"),
            ({"name": " "}, "Enter the name"),
            ({"name": "x" * 200}, "at most 100"),
        ],
    )
    def test_errors_stand_at_their_field(self, sandbox: Sandbox, fields: dict[str, str], message: str) -> None:
        session = sandbox.session()
        answer = sandbox.type_card(session.id, **({"number": "4242424242424242"} | fields))
        assert answer.status_code == 422
        name = next(iter(fields))
        assert f'id="{name}-error">' in answer.text
        assert message in html.unescape(answer.text.split(f'id="{name}-error">')[1].split("</p>")[0])
        assert sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_intent is None

    def test_a_number_that_may_be_real_is_never_shown_again_nor_kept(self, sandbox: Sandbox) -> None:
        session = sandbox.session()
        answer = sandbox.type_card(session.id, "4012888888881881")
        assert "4012888888881881" not in answer.text
        for path in sandbox.state.iterdir():
            assert b"4012888888881881" not in path.read_bytes()

    def test_no_card_number_is_kept(self, sandbox: Sandbox) -> None:
        sandbox.paid()
        for path in sandbox.state.iterdir():
            assert b"4242424242424242" not in path.read_bytes()

    def test_paying_twice_pays_once(self, sandbox: Sandbox) -> None:
        session = sandbox.session()
        sandbox.type_card(session.id)
        again = sandbox.type_card(session.id)
        assert again.status_code == 200
        assert "This payment is done" in again.text
        assert len(sandbox.api.v1.charges.list().data) == 1

    def test_expired_and_unknown_sessions_say_so(self, sandbox: Sandbox) -> None:
        session = sandbox.session()
        sandbox.api.v1.checkout.sessions.expire(session.id)
        assert "has expired" in page(sandbox, session.id).text
        assert "has expired" in sandbox.type_card(session.id).text
        unknown = page(sandbox, "cs_test_x")
        assert (unknown.status_code, "No such payment" in unknown.text) == (404, True)

    def test_nothing_is_shown_unescaped(self, sandbox: Sandbox) -> None:
        name = "<script>alert(1)</script>"
        wish = [{"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": name}}}]
        session = sandbox.session(line_items=wish)
        assert name not in page(sandbox, session.id).text
        assert name not in sandbox.type_card(session.id, name=name, cvc="").text
        assert name not in requests.get(f"{sandbox.url}/payments/", timeout=5).text

    def test_the_policy_lets_the_form_reach_the_merchant_and_nothing_else(self, sandbox: Sandbox) -> None:
        session = sandbox.session(success_url="https://user:pass@hub.example:8443/done?x='%3B script-src *".replace(" ", "%20"))
        policy = page(sandbox, session.id).headers["Content-Security-Policy"]
        assert "form-action 'self' https://hub.example:8443;" in policy
        assert policy.startswith("default-src 'none';")
        assert "script-src" not in policy


class TestChallenge:
    @pytest.mark.parametrize("number", ["4000002500003155", "4000000000003220"])
    def test_approved_pays(self, sandbox: Sandbox, number: str) -> None:
        session = sandbox.session()
        answer = sandbox.type_card(session.id, number)
        assert answer.headers["Location"] == f"/pay/{session.id}/challenge"
        now = sandbox.api.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
        assert now.payment_status == "unpaid"
        assert now.payment_intent.status == "requires_action"  # type: ignore[union-attr]
        assert "is this you?" in page(sandbox, session.id, "/challenge").text
        done = requests.post(f"{sandbox.url}/pay/{session.id}/challenge", data={"answer": "approve"}, timeout=5, allow_redirects=False)
        assert done.headers["Location"] == f"{sandbox.url}/?done={session.id}"
        charge = sandbox.api.v1.charges.list().data[0]
        assert charge.payment_method_details.card.three_d_secure.result == "authenticated"  # type: ignore[union-attr]

    def test_failed_lets_another_card_be_tried(self, sandbox: Sandbox) -> None:
        session = sandbox.session()
        sandbox.type_card(session.id, "4000002500003155")
        requests.post(f"{sandbox.url}/pay/{session.id}/challenge", data={"answer": "fail"}, timeout=5, allow_redirects=False)
        assert "failed authentication" in page(sandbox, session.id).text
        assert sandbox.api.v1.charges.list().data == []
        assert page(sandbox, session.id, "/challenge").status_code == 303
        sandbox.type_card(session.id)
        assert sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"

    def test_cannot_be_answered_unasked_or_with_nonsense(self, sandbox: Sandbox) -> None:
        session = sandbox.session()
        url = f"{sandbox.url}/pay/{session.id}/challenge"
        assert requests.post(url, data={"answer": "approve"}, timeout=5, allow_redirects=False).headers["Location"] == f"/pay/{session.id}"
        sandbox.type_card(session.id, "4000002500003155")
        assert requests.post(url, data={"answer": "maybe"}, timeout=5).status_code == 200
        assert sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


class TestLate:
    def test_success_comes_after_a_while(self, sandbox: Sandbox) -> None:
        session = sandbox.paid("4000000000000341")
        assert (session.status, session.payment_status) == ("complete", "unpaid")
        assert sandbox.api.v1.payment_intents.retrieve(str(session.payment_intent)).status == "processing"
        assert "being processed" in page(sandbox, session.id).text
        sandbox.control("settle")
        assert sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
        assert sandbox.api.v1.events.list().data[0].type == "checkout.session.async_payment_succeeded"

    def test_failure_comes_after_a_while(self, sandbox: Sandbox) -> None:
        session = sandbox.paid("4000000000000358")
        sandbox.control("settle")
        assert sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
        intent = sandbox.api.v1.payment_intents.retrieve(str(session.payment_intent))
        assert intent.status == "requires_payment_method"
        assert sandbox.api.v1.events.list().data[0].type == "checkout.session.async_payment_failed"

    def test_tests_can_pay_without_a_page(self, sandbox: Sandbox) -> None:
        session = sandbox.session()
        answer = sandbox.control(f"sessions/{session.id}/pay", card="4000002500003155", challenge="approve")
        assert answer == {"state": "paid"}
        assert sandbox.api.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
