"""The environment of commands run by hand, each in a process of its own as they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.runtime import connect, postgres, processes, servers
from hub.runtime.processes import Identity
from hub.runtime.state import State
from tests.runtime.conftest import PROJECT, eventually

# Stands in for manage.py: without tables, because making them is not what is tested here.
COMMAND = """
import os, sys, time
from hub.runtime import connect
connect._migrate = lambda state: print("migrated", flush=True)
connect.ensure_environment(["manage.py", *sys.argv[1:]])
import psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
print("connected", flush=True)
sys.stdin.readline()
connection.cursor().execute("SELECT 1")
print("done", flush=True)
"""


class Command:
    def __init__(self, environ: dict[str, str], name: str = "ledger_verify") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, name], cwd=PROJECT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def finish(self) -> int:
        out, _ = self.process.communicate("\n", timeout=60)
        assert "done" in out
        return self.process.returncode


def server_of(state: State) -> Identity | None:
    return next((Identity.from_record(item) for item in state.run_record().get("processes", []) if item["name"] == "postgres"), None)


class TestEnsureEnvironment:
    def test_starts_a_server_shares_it_and_the_last_one_out_stops_it(self, environ: dict[str, str]) -> None:
        state = State.chosen(environ)
        first = Command(environ)
        assert first.line() == "migrated"  # only because the database is new
        assert first.line() == "connected"
        server = server_of(state)
        assert server
        assert server.alive
        second = Command(environ)
        assert second.line() == "connected"
        assert first.finish() == 0
        assert server.alive
        assert second.finish() == 0
        eventually(lambda: not server.alive)
        assert state.run_record() == {}

    def test_a_killed_commands_server_is_found_and_stopped_by_the_next(self, environ: dict[str, str]) -> None:
        first = Command(environ)
        assert [first.line(), first.line()] == ["migrated", "connected"]
        server = server_of(State.chosen(environ))
        assert server
        first.process.kill()
        first.process.communicate()
        assert server.alive
        second = Command(environ)
        assert second.line() == "connected"
        assert second.finish() == 0
        eventually(lambda: not server.alive)

    def test_a_terminated_command_stops_its_server(self, environ: dict[str, str]) -> None:
        command = Command(environ, "migrate")
        assert command.line() == "connected"  # and has not migrated before migrating
        command.process.send_signal(signal.SIGTERM)
        command.process.communicate(timeout=30)
        assert command.process.returncode == 143
        home = servers.recorded_home(State.chosen(environ))
        assert home
        assert processes.standing_in(home / "postgres", "postgres") == []

    def test_a_given_database_is_used_as_it_is(self, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
        monkeypatch.setattr(os, "environ", environ | {"DATABASE_URL": "postgres://a:b@db.example/hub", "HUB_ENV": "test"})
        before = dict(os.environ)
        connect.ensure_environment(["manage.py", "ledger_verify"])
        assert dict(os.environ) == before
        assert not Path(environ["HUB_STATE_DIR"]).exists()

    def test_the_keys_of_a_hub_on_a_given_database_are_found(
        self, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], state: State
    ) -> None:
        state.save(ports={"sandbox": 1, "sandbox_smtp": 2})
        monkeypatch.setattr(os, "environ", environ | {"DATABASE_URL": "postgres://a:b@db.example/hub", "REDIS_URL": "redis://r.example/0"})
        connect.ensure_environment(["manage.py", "ledger_verify"])
        assert os.environ["HUB_MASTER_KEYS"] == state.secrets()["master_keys"]
        assert os.environ["DATABASE_URL"] == "postgres://a:b@db.example/hub"

    @pytest.mark.parametrize(
        "argv", [["manage.py"], ["manage.py", "help"], ["manage.py", "ledger_verify", "--help"], ["manage.py", "hub_status", "--json"]]
    )
    def test_what_needs_no_database_starts_none(self, argv: list[str], monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
        monkeypatch.setattr(os, "environ", dict(environ))
        connect.ensure_environment(argv)
        assert os.environ["HUB_ENV"] == "development"
        assert "DATABASE_URL" not in os.environ
        assert not Path(environ["HUB_STATE_DIR"]).exists()

    def test_production_is_left_alone(self, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
        monkeypatch.setattr(os, "environ", environ | {"HUB_ENV": "production"})
        connect.ensure_environment(["manage.py", "ledger_verify"])
        assert "DATABASE_URL" not in os.environ


class TestTestEnvironment:
    def test_gives_servers_passes_the_exit_code_and_leaves_nothing(self, environ: dict[str, str]) -> None:
        code = "import os, psycopg2; psycopg2.connect(os.environ['DATABASE_OWNER_URL']); print(os.environ['HUB_ENV']); raise SystemExit(7)"
        done = subprocess.run(
            [sys.executable, "-m", "hub.runtime", "test-env", "--", sys.executable, "-c", code],
            cwd=PROJECT, env=environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.stdout.strip(), done.returncode) == ("test", 7), done.stderr
        state = State(State.chosen(environ).path / "test")
        assert processes.marked(state.mark) == []
        home = servers.recorded_home(state)
        assert home
        assert processes.standing_in(home / "postgres", "postgres") == []

    @pytest.mark.parametrize(("options", "fsync"), [([], "on"), (["--throwaway"], "off")])
    def test_waits_for_the_disk_unless_told_that_nothing_matters(self, environ: dict[str, str], options: list[str], fsync: str) -> None:
        ask = "import os, psycopg2; c = psycopg2.connect(os.environ['DATABASE_URL']).cursor(); c.execute('SHOW fsync'); print(c.fetchone())"
        done = subprocess.run(
            [sys.executable, "-m", "hub.runtime", "test-env", *options, "--", sys.executable, "-c", ask],
            cwd=PROJECT, env=environ, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.stdout.strip() == f"('{fsync}',)", done.stderr

    def test_uses_given_servers_and_starts_none(self, environ: dict[str, str]) -> None:
        given = environ | {"DATABASE_URL": postgres.url("a", "b", 1), "REDIS_URL": "redis://127.0.0.1:1/0"}
        done = subprocess.run(
            [sys.executable, "-m", "hub.runtime", "test-env", "--", "true"], cwd=PROJECT, env=given, check=False, timeout=30
        )
        assert done.returncode == 0
        assert not Path(environ["HUB_STATE_DIR"]).exists()
