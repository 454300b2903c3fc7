from __future__ import annotations

import json

import pytest
from django.test import Client


class TestCspReport:
    def test_takes_what_a_browser_sends(self, client: Client) -> None:
        body = json.dumps({"csp-report": {"effective-directive": "script-src", "blocked-uri": "https://evil.example/x?secret=1"}})
        assert client.post("/csp-report/", body, content_type="application/csp-report").status_code == 204

    @pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"csp-report": 3}', "\x00" * 10])
    def test_refuses_junk_without_a_fault(self, client: Client, body: str) -> None:
        assert client.post("/csp-report/", body, content_type="application/csp-report").status_code == 400
