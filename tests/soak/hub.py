"""A whole hub in a folder of its own, its programs' pids, and how to kill them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from hub.runtime import environment, reset
from hub.runtime.bootstrap import answers
from hub.runtime.processes import Identity
from hub.runtime.state import PROJECT, State

VICTIMS = ("web", "worker", "screening", "beat", "valkey", "postgres")
START_SECONDS = 240.0
# What the terminal says about another hub is not for this one.
NOT_INHERITED = (
    *("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "HUB_ENV", "HUB_TEST_DB", "PORT"),
    *("HUB_SECRET_KEY", "HUB_MASTER_KEYS", "HUB_INDEX_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "BANK_API_KEY", "HUB_PUBLIC_URL"),
)


class SoakHub:
    """:param given: DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL, to use those servers instead of embedded ones."""

    def __init__(self, folder: Path, given: Mapping[str, str]) -> None:
        found = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED and not name.startswith("MAKE")}
        # The load comes from a handful of people who ask far more than people do.
        self.environ = {
            **found,
            **given,
            "HUB_STATE_DIR": str(folder / "state"),
            "HUB_API_QUOTA_PERSON": "1000000",
            "HUB_LOG_LEVEL": "WARNING",
        }
        self.state = State.chosen(self.environ)
        self.output = folder / "run.log"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.start", "run"],
                cwd=PROJECT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def url(self) -> str:
        return str(self.state.run_record().get("url", "")).replace("//localhost:", "//127.0.0.1:")

    @property
    def settings(self) -> dict[str, str]:
        """What a command beside the hub needs in its environment."""
        url = str(self.state.run_record()["url"])
        return {
            **self.environ,
            **environment.hub_environment(self.state, self.environ, public_url=url),
            "DJANGO_SETTINGS_MODULE": "hub.settings",
        }

    def wait_serving(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.state.run_record().get("phase") != "serving" or not answers(self.url):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the hub did not start:\n{self.output.read_text()[-3000:]}")
            time.sleep(0.2)

    def command(self, *words: str) -> str:
        """The standard output of a Python program beside the hub."""
        done = subprocess.run(
            [sys.executable, *words], cwd=PROJECT, env=self.settings, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """The same, and go on meanwhile."""
        with self.output.open("ab") as output:
            return subprocess.Popen([sys.executable, *words], cwd=PROJECT, env=self.settings, stdout=output, stderr=output)

    def kill(self, name: str, chance: random.Random) -> str:
        """
        kill -9 of a program, or (one time in three) of only one of its children, which is another kind of trouble.

        What was killed in words; empty when the program is just not there.
        """
        listed = {item["name"]: Identity.from_record(item) for item in self.state.run_record().get("processes", [])}
        found = listed.get(name)
        if not found or not found.alive:
            return ""
        pid, what = found.pid, name
        try:
            children = psutil.Process(pid).children()
        except psutil.Error:
            return ""
        if children and chance.random() < 1 / 3:
            pid, what = chance.choice(children).pid, f"{name}'s child"
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return ""
        return what

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(90)
        reset.reset(self.environ)


@contextmanager
def soak_hub(given: Mapping[str, str] | None = None) -> Iterator[SoakHub]:
    with tempfile.TemporaryDirectory(prefix="hub soak ") as folder:
        hub = SoakHub(Path(folder), given or {})
        try:
            hub.wait_serving()
            yield hub
        finally:
            hub.stop()
