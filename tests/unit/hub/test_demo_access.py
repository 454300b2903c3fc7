"""What a newcomer is told to sign in with."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models.factors import TotpDevice, seed_new
from core import clock
from hub.demo.access import Access, access_write

pytestmark = pytest.mark.django_db
SEED = seed_new()


@pytest.fixture
def access(settings: Any, tmp_path: Path) -> Access:
    settings.HUB_STATE_DIR = tmp_path
    settings.HUB_PUBLIC_URL, settings.SANDBOX_URL = "http://localhost:8000", "http://localhost:9000"
    made = Access(
        people=[{"email": "ada@demo.example", "password": "one", "name": "Ada Demo", "handle": "ada"}],
        staff=[{"email": "cora@demo.example", "password": "two", "totp_secret": SEED, "groups": ["compliance"]}],
        partner={"client_id": "who", "client_secret": "hush", "token_url": "http://localhost:8000/o/token/"},
    )
    access_write(made)
    return made


def said(**options: bool) -> str:
    out = StringIO()
    call_command("demo_access", stdout=out, **options)
    return out.getvalue()


class TestDemoAccess:
    def test_gives_staff_a_code_that_works_now(self, access: Access) -> None:
        found = re.search(r"cora@demo\.example +password two +code (\d{6}) +compliance", said())
        assert found
        assert TotpDevice(seed=SEED)._step_of(found[1], clock.real()) is not None

    def test_gives_the_lines_that_the_tour_begins_with(self, access: Access) -> None:
        assert said().splitlines()[-3:] == [
            "  export HUB=http://localhost:8000 SANDBOX=http://localhost:9000",
            "  export CLIENT_ID=who",
            "  export CLIENT_SECRET=hush",
        ]

    def test_as_json_it_is_what_was_kept(self, access: Access) -> None:
        found = json.loads(said(json=True))
        assert found == {"people": access.people, "staff": access.staff, "partner": access.partner}

    def test_without_a_demo_it_says_how_to_get_one(self, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        settings.HUB_STATE_DIR = tmp_path
        with pytest.raises(SystemExit) as ended:
            said()
        assert ended.value.code == 1
