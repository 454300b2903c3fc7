"""The whole hub as `make run` starts it: memory, kill -9 of each program in turn, and of the supervisor."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.runtime import reset
from hub.runtime.bootstrap import answers
from tests.runtime.conftest import OURS, PROJECT, eventually
from tests.runtime.test_run import Hub, ours

PROGRAMS = ("web", "worker", "screening", "beat", "sandbox", "valkey", "postgres")
# Loading Django and the demo take their time on a busy machine; that a new process is there is a matter of two seconds (see below).
SERVING_SECONDS = 240


class WholeHub(Hub):
    module = "hub.runtime"

    def wait_serving(self) -> None:
        eventually(lambda: "The hub is ready" in self.said or self.process.poll() is not None, SERVING_SECONDS)
        assert self.process.poll() is None, self.said


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    found = {name: value for name, value in os.environ.items() if name not in OURS}
    found |= {"HUB_STATE_DIR": str(tmp_path_factory.mktemp("whole hub") / "state"), "LC_ALL": "C"}
    yield found
    reset.reset(found)
    # All that a hub ever writes there is known to reset.
    assert not Path(found["HUB_STATE_DIR"]).exists()


@pytest.fixture(scope="module")
def hub(environ: dict[str, str]) -> Iterator[WholeHub]:
    found = WholeHub(environ)
    try:
        found.wait_serving()
        yield found
    finally:
        if found.process.poll() is None:
            assert found.stop() == 0


def status(environ: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "manage.py", "hub_status", "--json"],
        cwd=PROJECT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ready"] else 1)
    return found


def test_it_serves_says_who_may_sign_in_and_is_small(hub: WholeHub, environ: dict[str, str]) -> None:
    found = status(environ)
    assert found["ready"]
    assert found["url"] == hub.url
    assert {item["name"] for item in found["processes"]} == {"supervisor", *PROGRAMS}
    assert "Sign in as" in hub.said, hub.said
    page = urllib.request.urlopen(hub.url, timeout=30).read().decode()
    assert "<html" in page
    everyone = [hub.process.pid, *(identity.pid for identity in ours(hub.state))]
    assert sum(_pss(pid) for pid in everyone) < 1_200_000_000


def _pss(pid: int) -> int:
    """Memory in bytes, what is shared counted by its share; a process that ended meanwhile holds none."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    match = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_killed_program_is_back_within_two_seconds(hub: WholeHub, name: str) -> None:
    first = hub.pid(name)
    assert first
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: hub.pid(name) not in (0, first)) < 2
    eventually(lambda: answers(hub.url), SERVING_SECONDS)


def test_a_killed_supervisor_is_followed_by_a_clean_start_that_kept_everything(hub: WholeHub, environ: dict[str, str]) -> None:
    before = _people(environ)
    hub.process.kill()
    hub.process.wait()
    again = WholeHub(environ)
    try:
        again.wait_serving()
        assert "left behind" in again.said
        assert _people(environ) == before
    finally:
        assert again.stop() == 0
    assert ours(again.state) == []


def _people(environ: dict[str, str]) -> str:
    code = "from accounts.models import Person; print(sorted(map(str, Person.objects.values_list('id', flat=True))))"
    return subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        cwd=PROJECT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
