from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from core.logging import redact

SECRETS = {
    "asa.lind+x@mail.example.test": "e-mail",
    "SE4550000000058398257466": "iban",
    "GB82 WEST 1234 5698 7654 32": "iban",
    "4242424242424242": "card",
    "4242 4242 4242 4242": "card",
    "5555-5555-5555-4444": "card",
    "Bearer eyJhbGciOi.eyJzdWIi.c2ln": "token",
    "Basic YXNhOmh1bnRlcjI=": "token",
    "sk_test_51Habc": "key",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "key",
    "access_token=abc123": "hidden",
    "https://hub.example.test/reset?token=abc123": "hidden",
    "DETAIL:  Failing row contains (1, Asa Lind, null).": "hidden",
}

_PROBE = """
import logging, sys
from core.logging import configure
configure(json_lines=sys.argv[1] == "json", level="DEBUG")
import structlog
log = structlog.get_logger("probe")
for text in {secrets!r}:
    thing = type("Thing", (), {{"__str__": lambda self: text}})()
    log.info("something with " + text, note=text, nested={{"deep": [text, {{"x": text}}]}}, thing=thing)
    logging.getLogger("theirs").warning("theirs: %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed")
log.info("keys", password="p-value", api_token="t-value", iban="i-value", card_number=4242424242424242, name="n-value",
         first_name="f-value", totp_secret="s-value", code="c-value", nested={{"email": "e-value", "cookie": "k-value"}},
         number=4242424242424242)
log.info("kept", event_name="payments.transfer.posted", status_code=201, ms=1.5, party_id="0193f2c1-7d9e-7c7e-9e3f-5c0a5d4d5a11", count=12)
"""


@pytest.fixture(scope="module")
def lines() -> dict[str, str]:
    """What a process of its own writes, in both forms."""
    probe = _PROBE.format(secrets=list(SECRETS))
    return {
        form: subprocess.run([sys.executable, "-c", probe, form], capture_output=True, text=True, check=True, timeout=60).stderr
        for form in ("json", "text")
    }


class TestRedact:
    @pytest.mark.parametrize(("text", "kind"), SECRETS.items())
    def test_hides(self, text: str, kind: str) -> None:
        assert kind in redact(f"before {text} after" if not text.startswith("DETAIL") else text)
        assert text not in redact(f"before\n{text}")

    @pytest.mark.parametrize("text", ["posted 1250 EUR", "0193f2c1-7d9e-7c7e-9e3f-5c0a5d4d5a11", "2026-11-21T21:15:00.123456Z", "SELECT 1"])
    def test_leaves_the_rest(self, text: str) -> None:
        assert redact(text) == text


class TestLines:
    @pytest.mark.parametrize("form", ["json", "text"])
    @pytest.mark.parametrize("secret", SECRETS)
    def test_hold_no_secret(self, lines: dict[str, str], form: str, secret: str) -> None:
        # A traceback quotes the probe's own source line never: it came by -c.
        assert secret not in lines[form]

    @pytest.mark.parametrize("form", ["json", "text"])
    def test_hide_values_by_their_keys(self, lines: dict[str, str], form: str) -> None:
        for value in (
            "p-value",
            "t-value",
            "i-value",
            "n-value",
            "f-value",
            "s-value",
            "c-value",
            "e-value",
            "k-value",
            "4242424242424242",
        ):
            assert value not in lines[form]

    def test_are_json_with_the_facts_kept(self, lines: dict[str, str]) -> None:
        last = json.loads(lines["json"].splitlines()[-1])
        facts = SimpleNamespace(**last)
        assert (facts.event, facts.event_name, facts.status_code, facts.ms, facts.count) == (
            "kept",
            "payments.transfer.posted",
            201,
            1.5,
            12,
        )
        assert facts.party_id == "0193f2c1-7d9e-7c7e-9e3f-5c0a5d4d5a11"
        assert facts.level == "info"
