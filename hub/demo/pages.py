"""The sandbox's hosted page, used as a person would."""

from __future__ import annotations

from datetime import timedelta

import requests

from core import clock

TEST_CARD = "4242424242424242"


def pay_on_hosted_page(url: str) -> None:
    """
    Pay as a person would: open the sandbox's page, send its form with the test card.

    :raises RuntimeError: the page did not take it.
    """
    with requests.Session() as browser:
        browser.get(url, timeout=10).raise_for_status()
        expiry = (clock.real() + timedelta(days=700)).strftime("%m/%y")
        card = {"number": TEST_CARD, "expiry": expiry, "cvc": "123", "name": "Demo"}
        answer = browser.post(url, data=card, allow_redirects=False, timeout=10)
        if answer.status_code != 303:
            raise RuntimeError(f"the hosted page answered {answer.status_code}")
