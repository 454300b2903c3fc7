"""State folders with a space in their path, removed with everything that runs on them; and programs that stand in for the hub's."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.runtime import reset
from hub.runtime.programs import Program
from hub.runtime.state import State

PROJECT = Path(__file__).resolve().parents[2]
OURS = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "HUB_ENV",
    "HUB_TEST_DB",
    "HUB_SECRET_KEY",
    "HUB_MASTER_KEYS",
    "PORT",
    "STRIPE_SECRET_KEY",
)


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a terminal has that never heard of this test run, with LC_ALL=C as the least helpful of locales."""
    found = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("MAKE")}
    found |= {"HUB_STATE_DIR": str(tmp_path / "a state folder"), "LC_ALL": "C"}
    yield found
    reset.reset(found)


@pytest.fixture
def state(environ: dict[str, str]) -> State:
    found = State.chosen(environ)
    found.create()
    return found


def sleeper(state: State, name: str = "sleeper", code: str = "import time; time.sleep(600)") -> Program:
    environment = {"HUB_RUN_MARK": state.mark, "PATH": os.defpath}
    return Program(
        name=name, command=(sys.executable, "-c", code), environment=environment, folder=state.path, log=state.log(name), stop_seconds=1
    )


def eventually(test: Callable[[], object], seconds: float = 10) -> float:
    """How long it took until `test` was true."""
    begun = time.monotonic()
    while not test():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - begun
