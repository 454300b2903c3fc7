"""`make run` from outside: starting, refusing, stopping and starting after any kill (with stand-ins for Django's programs)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from hub.runtime import ports, processes, servers
from hub.runtime.bootstrap import answers
from hub.runtime.state import State
from tests.runtime.conftest import PROJECT, eventually


class Hub:
    """One `run` process and what it has printed."""

    module = "tests.runtime.stand_in"

    def __init__(self, environ: dict[str, str], *arguments: str) -> None:
        self.state = State.chosen(environ)
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, "run", *arguments],
            cwd=PROJECT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def said(self) -> str:
        return "".join(self.lines)

    @property
    def url(self) -> str:
        return str(self.state.run_record().get("url"))

    def wait_serving(self) -> None:
        eventually(lambda: "The hub is ready" in self.said or self.process.poll() is not None, 90)
        assert self.process.poll() is None, self.said
        assert answers(self.url)

    def pid(self, name: str) -> int:
        return next((int(item["pid"]) for item in self.state.run_record().get("processes", []) if item["name"] == name), 0)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.reader.join(5)
        return code


@pytest.fixture
def hubs(environ: dict[str, str]) -> Iterator[list[Hub]]:
    """Those in the list are ended, whatever happens."""
    found: list[Hub] = []
    yield found
    for hub in found:
        if hub.process.poll() is None:
            hub.stop()


def start(hubs: list[Hub], environ: dict[str, str], *arguments: str) -> Hub:
    hubs.append(Hub(environ, *arguments))
    return hubs[-1]


def ours(state: State) -> list[processes.Identity]:
    home = servers.recorded_home(state)
    return processes.marked(state.mark) + (processes.standing_in(home / "postgres", "postgres") if home else [])


class TestRun:
    def test_serves_refuses_a_second_one_and_stops_cleanly(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ)
        hub.wait_serving()
        assert "asa@example.com" in hub.said
        status = subprocess.run(
            [sys.executable, "-m", "hub.runtime", "status"], cwd=PROJECT, env=environ, capture_output=True, text=True, check=True
        )
        shown = json.loads(status.stdout)
        assert shown["ready"]
        assert {item["name"] for item in shown["processes"]} == {"supervisor", "sandbox", "valkey", "postgres", "web", "worker"}

        second = start(hubs, environ)
        assert second.process.wait(60) == 1
        second.reader.join(5)
        assert f"already running at {hub.url}" in second.said

        assert hub.stop(signal.SIGINT) == 0
        assert "Stopped." in hub.said
        assert ours(hub.state) == []
        log = hub.state.log("postgres").read_text()
        assert "database system is shut down" in log
        after = subprocess.run(
            [sys.executable, "-m", "hub.runtime", "status"], cwd=PROJECT, env=environ, capture_output=True, text=True, check=False
        )
        assert (after.returncode, json.loads(after.stdout)) == (1, {"url": None, "ready": False, "processes": []})

    def test_killed_supervisor_is_followed_by_a_clean_start(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ)
        hub.wait_serving()
        left = ours(hub.state)
        url = hub.url
        hub.process.kill()
        hub.process.wait()
        assert answers(url)  # nobody supervises it now, but it still serves
        again = start(hubs, environ)
        again.wait_serving()
        assert "left behind" in again.said
        assert not [identity for identity in left if identity.alive]
        assert again.url == url
        again.process.send_signal(signal.SIGTERM)

    def test_all_killed_at_once_is_followed_by_a_clean_start(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ)
        hub.wait_serving()
        hub.process.kill()
        hub.process.wait()
        processes.send(ours(hub.state), signal.SIGKILL)
        start(hubs, environ).wait_serving()

    def test_a_start_right_after_asking_to_stop_waits_its_turn(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ)
        hub.wait_serving()
        hub.process.send_signal(signal.SIGTERM)
        start(hubs, environ).wait_serving()
        assert hub.process.wait(60) == 0

    def test_ends_with_make_when_started_by_it(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        arguments = [sys.executable, "-m", "tests.runtime.stand_in", "run", "--with-parent"]
        make = subprocess.Popen(
            ["sh", "-c", '"$@" & wait', "sh", *arguments], cwd=PROJECT, env=environ, stdout=subprocess.DEVNULL, start_new_session=True
        )
        state = State.chosen(environ)
        eventually(lambda: state.run_record().get("phase") == "serving", 90)
        make.kill()
        make.wait()
        eventually(lambda: state.supervisor() is None and not ours(state), 60)

    def test_a_deleted_state_folder_stops_the_hub(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ)
        hub.wait_serving()
        home = servers.recorded_home(hub.state)
        mark = hub.state.mark
        # Moved away: deleting file by file would race with the servers that still write.
        gone = hub.state.path.rename(hub.state.path.with_name("gone"))
        assert hub.process.wait(60) == 0
        assert processes.marked(mark) == []
        shutil.rmtree(gone)
        if home and home.exists():
            shutil.rmtree(home)

    def test_a_busy_port_asked_for_starts_nothing(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        port = ports.free_port()
        held = ports.listen(port)
        hub = start(hubs, environ | {"PORT": str(port)})
        assert hub.process.wait(60) == 1
        hub.reader.join(5)
        assert f"Port {port} is already in use" in hub.said
        assert ours(hub.state) == []
        for found in held:
            found.close()

    def test_a_failed_migration_stops_the_servers_and_says_so(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ | {"STAND_IN_FAILS": "migrate"})
        assert hub.process.wait(60) == 1
        hub.reader.join(5)
        assert "Preparing the database failed" in hub.said
        assert "no such table" in hub.said
        assert ours(hub.state) == []

    def test_a_failed_demo_is_shown_but_the_hub_serves(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ | {"STAND_IN_FAILS": "demo_load"})
        hub.wait_serving()
        assert "The demo could not be loaded" in hub.said
        assert "no such person" in hub.said

    def test_reset_stops_it_first(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ)
        hub.wait_serving()
        home = servers.recorded_home(hub.state)
        assert subprocess.run([sys.executable, "-m", "hub.runtime", "reset"], cwd=PROJECT, env=environ, check=False).returncode == 0
        assert hub.process.wait(60) == 0
        assert not hub.state.path.exists()
        assert home
        assert not home.exists()


class TestWebSocket:
    def test_browsers_wait_instead_of_being_refused_while_web_restarts(self, hubs: list[Hub], environ: dict[str, str]) -> None:
        hub = start(hubs, environ)
        hub.wait_serving()
        first = hub.pid("web")
        os.kill(first, signal.SIGKILL)
        assert answers(hub.url)  # asked at once, before there is a new web program
        assert hub.pid("web") != first
