from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from core import clock, crypto, privacy
from core.errors import NotFound
from core.management.commands.clock_set import duration
from core.models import AuditEntry, DataKey
from tests import databases


def run(name: str, *args: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command(name, *args, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    except CommandError as error:  # what the command line turns into exit code 2
        return 2, out.getvalue(), str(error)
    return 0, out.getvalue(), err.getvalue()


def document(name: str, *args: str) -> dict[str, Any]:
    code, out, err = run(name, *args, "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


class TestClockSet:
    def test_moves_to_a_moment(self, db: None) -> None:
        said = document("clock_set", "--to", "2030-01-02T03:04:05+01:00")
        assert datetime.fromisoformat(said["now"]) - datetime(2030, 1, 2, 2, 4, 5, tzinfo=UTC) < timedelta(seconds=5)
        assert abs(clock.now() - datetime(2030, 1, 2, 2, 4, 5, tzinfo=UTC)) < timedelta(seconds=5)

    def test_takes_a_moment_without_a_zone_as_utc(self, db: None) -> None:
        run("clock_set", "--to", "2030-01-02")
        assert clock.now().date().isoformat() == "2030-01-02"

    def test_advances_from_where_it_is_and_goes_back(self, db: None) -> None:
        document("clock_set", "--advance", "P1D")
        clock._cache.read_at = None
        assert document("clock_set", "--advance", "PT2H30M")["offset_seconds"] == 86400 + 9000
        assert document("clock_set", "--real")["offset_seconds"] == 0

    @pytest.mark.parametrize(
        "args",
        [
            [],
            ["--to", "tomorrow"],
            ["--to", "9999-01-01"],
            ["--to", "1969-01-01"],
            ["--advance", "1 day"],
            ["--advance", "P1Y"],
            ["--advance", "P"],
            ["--advance", "PT"],
            ["--advance", "P99999999999999999999D"],
            ["--advance", "P200000D"],
            ["--to", "2030-01-01", "--real"],
        ],
    )
    def test_refuses_bad_input(self, db: None, args: list[str]) -> None:
        code, out, err = run("clock_set", *args)
        assert (code, out) == (2, "")
        assert err
        assert clock.offset() == timedelta()

    def test_is_refused_in_production(self, db: None, settings: Settings) -> None:
        settings.PRODUCTION = True
        assert run("clock_set", "--real")[0] == 2

    def test_ends_with_2_on_the_command_line(self, fresh_db: str) -> None:
        env = {**os.environ, "DATABASE_URL": databases.url_for(fresh_db), "HUB_ENV": "test"}
        done = subprocess.run(
            [sys.executable, "manage.py", "clock_set"], cwd=databases.ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "--advance" in done.stderr

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("P1D", timedelta(days=1)),
            ("P2W", timedelta(weeks=2)),
            ("pt90m", timedelta(minutes=90)),
            ("-P1DT1H", timedelta(days=-1, hours=-1)),
            ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ],
    )
    def test_reads_durations(self, text: str, expected: timedelta) -> None:
        assert duration(text) == expected


def ring(*names: str) -> str:
    return ",".join(f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in names)


class TestKeysRotate:
    def test_wraps_every_key_anew_and_says_how_many(self, db: None, settings: Settings) -> None:
        settings.HUB_MASTER_KEYS = old = ring("old")
        for _ in range(3):
            crypto.data_key(uuid4(), create=True)
        settings.HUB_MASTER_KEYS = f"{ring('new')},{old}"
        assert document("keys_rotate") == {"rewrapped": 3, "current": "new", "left": 0}
        assert document("keys_rotate") == {"rewrapped": 0, "current": "new", "left": 0}
        assert set(DataKey.objects.values_list("master_id", flat=True)) == {"new"}
        assert AuditEntry.objects.filter(action="core.keys.rotated").count() == 2

    def test_stops_when_a_master_is_missing(self, db: None, settings: Settings) -> None:
        settings.HUB_MASTER_KEYS = ring("lost")
        crypto.data_key(uuid4(), create=True)
        settings.HUB_MASTER_KEYS = ring("new")
        code, out, err = run("keys_rotate", "--json")
        assert (code, out) == (1, "")
        assert "lost" in err


class TestPersonExportAndErase:
    @pytest.fixture(autouse=True)
    def holdings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(privacy, "_holdings", {})

    def test_print_what_is_held_and_what_was_done(self, db: None) -> None:
        party = uuid4()
        privacy.register("things", export=lambda party_id: {"name": "Åsa"}, erase=lambda party_id, now: None, retention="")
        assert document("person_export", str(party)) == {"party": str(party), "data": {"things": {"name": "Åsa"}}}
        assert document("person_erase", str(party)) == {"party": str(party), "erased": ["things"]}
        assert list(AuditEntry.objects.filter(party_id=party).order_by("id").values_list("action", flat=True)) == [
            "privacy.exported",
            "privacy.erased",
        ]

    @pytest.mark.parametrize("command", ["person_export", "person_erase"])
    def test_refuse_what_is_no_id(self, db: None, command: str) -> None:
        for args in ([], ["asa@example.test"]):
            code, out, err = run(command, *args)
            assert (code, out) == (2, "")
            assert err

    @pytest.mark.parametrize("command", ["person_export", "person_erase"])
    def test_refuse_whom_nobody_knows(self, db: None, command: str) -> None:
        def unknown(*args: object) -> None:
            raise NotFound

        privacy.register("people", export=unknown, erase=unknown, retention="")
        code, out, err = run(command, str(uuid4()), "--json")
        assert (code, out) == (2, "")
        assert err
        assert not AuditEntry.objects.exists()
