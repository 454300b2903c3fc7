"""The supervisor with small programs in place of the hub's."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from hub.runtime import processes, supervise
from hub.runtime.processes import Identity
from hub.runtime.state import State
from hub.runtime.supervise import Supervisor, end_leftovers
from tests.runtime.conftest import eventually, sleeper


@pytest.fixture
def supervisor(state: State) -> Iterator[Supervisor]:
    found = Supervisor(state, lambda _: None)
    thread = threading.Thread(target=found.run)
    thread.start()
    yield found
    found.request_stop()
    thread.join()
    found.stop_all()


def pid_of(state: State, name: str) -> int | None:
    return next((item["pid"] for item in state.run_record().get("processes", []) if item["name"] == name), None)


# A program with a child, as Celery and gunicorn have them.
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"


class TestSupervisor:
    def test_starts_a_killed_program_again_within_two_seconds(self, state: State, supervisor: Supervisor) -> None:
        supervisor.add(sleeper(state))
        first = pid_of(state, "sleeper")
        assert first
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: pid_of(state, "sleeper") not in (None, first)) < 2

    def test_ends_a_dead_programs_children_first(self, state: State, supervisor: Supervisor) -> None:
        supervisor.add(sleeper(state, code=PARENT))
        first = pid_of(state, "sleeper")
        assert first
        eventually(lambda: len(processes.marked(state.mark)) == 2)
        (child,) = [found for found in processes.marked(state.mark) if found.pid != first]
        os.kill(first, signal.SIGKILL)
        eventually(lambda: not child.alive, 2)

    def test_waits_longer_after_each_failure_but_never_gives_up(
        self, state: State, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(supervise, "BACKOFF_SECONDS", (0.0, 0.1, 0.2))
        said: list[str] = []
        supervisor.say = said.append
        supervisor.add(sleeper(state, code="raise SystemExit(3)"))
        eventually(lambda: len(said) >= 5)
        assert "sleeper ended (exit 3); starting it again now" in said[0]
        assert "in 0.1 s" in said[1]
        assert all("in 0.2 s" in text for text in said[2:])

    def test_stops_everything_and_its_record(self, state: State) -> None:
        supervisor = Supervisor(state, lambda _: None)
        stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
        supervisor.add(sleeper(state), sleeper(state, name="stubborn", code=stubborn))
        time.sleep(0.3)
        supervisor.stop_all()
        assert processes.marked(state.mark) == []
        assert state.run_record() == {}

    def test_starts_nothing_once_it_is_stopping(self, state: State) -> None:
        supervisor = Supervisor(state, lambda _: None)
        supervisor.request_stop()
        supervisor.add(sleeper(state))
        assert processes.marked(state.mark) == []

    def test_a_program_that_cannot_even_start_is_tried_again(self, state: State, supervisor: Supervisor) -> None:
        said: list[str] = []
        supervisor.say = said.append
        program = sleeper(state)
        supervisor.add(type(program)(**{**vars(program), "command": ("/nonexistent/program",)}))
        eventually(lambda: len(said) >= 2)
        assert "could not be started" in said[0]


class TestLeftovers:
    def test_recorded_and_marked_processes_are_ended(self, state: State) -> None:
        abandoned = supervise.Supervised(sleeper(state, code=PARENT), lambda _: None)
        abandoned.start()
        assert abandoned.identity
        eventually(lambda: len(processes.marked(state.mark)) == 2)
        state.write_run_record({"processes": [{"name": "web", **abandoned.identity.record()}]})
        assert end_leftovers(state) == 2
        assert processes.marked(state.mark) == []

    def test_a_stranger_with_a_recorded_pid_is_left_alone(self, state: State) -> None:
        stranger = supervise.Supervised(sleeper(state), lambda _: None)
        other_mark = {**stranger.program.environment, "HUB_RUN_MARK": "another"}
        stranger.program = type(stranger.program)(**{**vars(stranger.program), "environment": other_mark})
        stranger.start()
        assert stranger.identity
        state.write_run_record({"processes": [{"name": "web", "pid": stranger.identity.pid, "started": "at another time"}]})
        assert end_leftovers(state) == 0
        assert stranger.identity.alive
        stranger.signal_group(signal.SIGKILL)
        assert stranger.process
        stranger.process.wait()

    def test_a_zombie_counts_as_gone(self) -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        eventually(lambda: Identity.of(pid) is None)
        os.waitpid(pid, 0)
