"""The sandbox's pages in a real browser: a person pays, and every page stands up to axe on every size and theme."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests import browsers
from tests.unit.sandbox.outside import Receiver, Sandbox
from tests.unit.sandbox.test_inbox import send

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, sandbox: Sandbox) -> Iterator[Page]:
    """A phone without JavaScript; whatever the browser complains about fails the test."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    watch = browsers.Watch.over(context, sandbox.url, f"http://localhost:{sandbox.port}")
    yield context.new_page()
    complaints = watch.take()
    context.close()
    assert complaints == []


def fill(page: Page, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry date").fill("12 / 40")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on the card").fill("Åsa Lindqvist")
    page.get_by_role("button", name=re.compile("^Pay")).click()


class TestPaying:
    def test_succeeds_and_returns_to_the_merchant(self, sandbox: Sandbox, page: Page) -> None:
        session = sandbox.session()
        page.goto(str(session.url))
        fill(page, "4242 4242 4242 4242")
        page.wait_for_url(f"**/?done={session.id}")
        page.goto(f"{sandbox.url}/pay/{session.id}")
        expect(page.get_by_role("heading", name="This payment is done")).to_be_visible()

    def test_returns_to_a_merchant_on_another_origin(self, sandbox: Sandbox, page: Page, receiver: Receiver) -> None:
        # The policy's form-action must let the redirect pass; the other origin here is the sandbox under its other name.
        session = sandbox.session(success_url=f"http://localhost:{sandbox.port}/healthz?done={{CHECKOUT_SESSION_ID}}")
        page.goto(str(session.url))
        fill(page, "4242424242424242")
        page.wait_for_url(f"http://localhost:{sandbox.port}/healthz?done={session.id}")
        receiver.wait_for("checkout.session.completed")

    def test_can_be_corrected_declined_and_tried_again(self, sandbox: Sandbox, page: Page) -> None:
        session = sandbox.session()
        page.goto(str(session.url))
        fill(page, "4242 4242 4242 4241")
        expect(page.get_by_text("do not add up")).to_be_visible()
        expect(page.get_by_label("Card number")).to_have_accessible_description("Check the card number: its digits do not add up.")
        fill(page, "4000000000009995")
        expect(page.get_by_role("alert")).to_contain_text("insufficient funds")
        fill(page, "5555555555554444")
        page.wait_for_url("**/?done=*")

    def test_passes_3d_secure(self, sandbox: Sandbox, page: Page) -> None:
        session = sandbox.session()
        page.goto(str(session.url))
        fill(page, "4000002500003155")
        page.get_by_role("button", name="Fail the check").click()
        expect(page.get_by_role("alert")).to_contain_text("failed authentication")
        fill(page, "4000000000003220")
        expect(page.get_by_text("Visa •••• 3220")).to_be_visible()
        page.get_by_role("button", name="Approve").click()
        page.wait_for_url(f"**/?done={session.id}")

    def test_can_be_cancelled(self, sandbox: Sandbox, page: Page) -> None:
        page.goto(str(sandbox.session().url))
        page.get_by_role("link", name="Cancel and go back").click()
        page.wait_for_url("**/?cancelled=1")


class TestInbox:
    def test_opens_a_message_and_its_links(self, sandbox: Sandbox, page: Page) -> None:
        send(sandbox, subject="Reset your password", text=f"Open {sandbox.url}/healthz?reset=1", html="<h1>Hello</h1>")
        page.goto(f"{sandbox.url}/inbox/")
        page.get_by_role("link", name=re.compile("Reset your password")).click()
        expect(page.frame_locator("iframe").get_by_role("heading", name="Hello")).to_be_visible()
        page.get_by_role("link", name=re.compile("reset=1")).click()
        page.wait_for_url("**/healthz?reset=1")

    def test_a_message_cannot_run_or_load_anything(self, sandbox: Sandbox, browser: Browser) -> None:
        send(sandbox, html=f"<script>parent.document.title='taken'</script><img src='{sandbox.url}/assets/icon.svg?seen'>")
        context = browser.new_context()
        loaded: list[str] = []
        context.on("response", lambda answer: loaded.append(answer.url))
        page = context.new_page()
        page.goto(f"{sandbox.url}/inbox/", wait_until="networkidle")
        page.get_by_role("link", name=re.compile("Ditt lån")).click()
        page.wait_for_load_state("networkidle")
        assert page.title() != "taken"
        assert not [url for url in loaded if "seen" in url]
        context.close()


class TestFaultsPage:
    def test_sets_a_fault(self, sandbox: Sandbox, page: Page) -> None:
        page.goto(f"{sandbox.url}/control/")
        page.get_by_label("Creating a checkout").select_option(label="no answer, but done")
        page.get_by_role("button", name="Set create").click()
        expect(page.get_by_label("Creating a checkout")).to_have_value("timeout_after_commit")
        page.get_by_role("button", name="Clear everything").click()
        expect(page.get_by_label("Creating a checkout")).to_have_value("normal")


def _paths(sandbox: Sandbox) -> list[str]:
    """Every page in every state worth looking at."""
    send(sandbox, subject="A long subject " * 12, text="https://hub.example/" + "x" * 200, html="<p>Hello</p>")
    requests.post(f"{sandbox.url}/sms/messages", json={"to": "+46700000001", "text": "Code 123456"}, timeout=5)
    line = {"currency": "eur", "unit_amount": 99_999_999, "product_data": {"name": "An unusually long name of a thing " * 5}}
    wide = sandbox.session(line_items=[{"quantity": 1, "price_data": line}], client_reference_id="x" * 200)
    declined, challenged, expired = sandbox.session(), sandbox.session(), sandbox.session()
    sandbox.type_card(declined.id, "4000000000000002")
    sandbox.type_card(challenged.id, "4000002500003155")
    sandbox.api.v1.checkout.sessions.expire(expired.id)
    sandbox.faults(webhook="lost", count=1)
    done, late = sandbox.paid(), sandbox.paid("4000000000000341")
    sessions = [wide, declined, expired, done, late]
    pages = ["/", "/inbox/", "/inbox/1/", "/inbox/?to=nobody", "/payments/", "/events/", "/control/", "/nothing", "/pay/cs_test_none"]
    newest = requests.get(f"{sandbox.url}/inbox/messages.json", timeout=5).json()["messages"][-1]["id"]
    pages[2] = f"/inbox/{newest}/"
    return [*pages, *(f"/pay/{session.id}" for session in sessions), f"/pay/{challenged.id}/challenge"]


class TestEveryPage:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_stands_up_to_axe_on_every_size(self, sandbox: Sandbox, browser: Browser, theme: str) -> None:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
        watch = browsers.Watch.over(context, sandbox.url)
        page = context.new_page()
        problems: list[str] = []
        for path in _paths(sandbox):
            page.goto(sandbox.url + path)
            problems += _look(page)
            pay = page.get_by_role("button", name=re.compile("^Pay"))
            if path.startswith("/pay/") and pay.count():
                page.get_by_text("Test cards").click()
                pay.click()
                page.wait_for_load_state()
                problems += _look(page)
        problems += watch.take()
        context.close()
        assert problems == []


def _look(page: Page) -> list[str]:
    problems: list[str] = []
    # axe finds at 390 what it finds at 320; only the width is new there.
    for width in (1440, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        problems += [f"{page.url} at {width}: {sideways} px too wide"] if sideways > 0 else []
        problems += [f"{page.url} at {width}: {one}" for one in browsers.axe_problems(page)] if width != 390 else []
    return problems
