"""Bringing the hub up, in order: servers, tables, demo, programs, ready."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hub.runtime import environment, postgres, processes, valkey
from hub.runtime.errors import RunError
from hub.runtime.programs import Program
from hub.runtime.servers import ServerHome, home_for
from hub.runtime.state import PROJECT, State
from hub.runtime.supervise import Supervisor

READY_SECONDS = 90.0
# A proxy that the terminal knows cannot reach this machine's own ports.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Stopped(Exception):
    """Somebody asked to stop while the hub was coming up."""


class Servers:
    """The embedded servers of one state folder; those that the person brought along are left out."""

    def __init__(self, state: State, environ: Mapping[str, str], *, postgres_settings: Mapping[str, str] | None = None) -> None:
        self.state = state
        outside = environment.Outside.given(environ)
        self.with_postgres, self.with_valkey = not outside.database, not outside.redis
        self.postgres_settings = postgres_settings
        self.home: ServerHome | None = home_for(state) if self.with_postgres or self.with_valkey else None
        self.ports = environment.choose_ports(state)

    def add_to(self, supervisor: Supervisor) -> bool:
        """Start them; True when the database is new."""
        created = False
        if self.home and self.with_valkey:
            supervisor.add(valkey.program(self.home, self.ports["valkey"], self.state.secrets()["valkey"], self.state.log("valkey")))
        if self.home and self.with_postgres:
            created = postgres.create(self.home, self.state.secrets(), self.state.log("postgres"))
            supervisor.add(postgres.program(self.home, self.ports["postgres"], self.state.log("postgres"), extra=self.postgres_settings))
        return created

    def ready(self) -> bool:
        if not self.home:
            return True
        if self.with_valkey and not valkey.is_ready(self.ports["valkey"], self.state.secrets()["valkey"]):
            return False
        return not self.with_postgres or postgres.is_ready(self.home)


def wait_until(test: Callable[[], bool], supervisor: Supervisor, *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not test():
        if supervisor.stopping.wait(0.1):
            raise Stopped
        if time.monotonic() > deadline:
            raise RunError(f"{what} did not get ready within {seconds:g} seconds; see the logs in {supervisor.state.path / 'logs'}.")


def hub_programs(state: State, common: Mapping[str, str], sockets: tuple[int, ...]) -> list[Program]:
    """The hub's own programs. They use the application role: the owner's address is for migrations only."""
    python = sys.executable
    environ = {name: value for name, value in common.items() if name != "DATABASE_OWNER_URL"}

    def program(name: str, *arguments: str, **more: Any) -> Program:
        return Program(name=name, command=(python, "-m", *arguments), environment=environ, folder=PROJECT, log=state.log(name), **more)

    celery = ("celery", "-A", "hub.celery")
    worker = ("--prefetch-multiplier", "1", "--without-gossip", "--without-mingle", "--loglevel", "INFO")
    binds = [part for number in sockets for part in ("--bind", f"fd://{number}")]
    gunicorn = (
        "--preload",
        "--worker-class",
        "gthread",
        "--workers",
        "2",
        "--threads",
        "8",
        "--timeout",
        "60",
        "--graceful-timeout",
        "5",
        "--no-control-socket",
    )
    return [
        program("web", "gunicorn", "hub.wsgi", *binds, *gunicorn, sockets=sockets),
        program("worker", *celery, "worker", "-Q", "default", "-c", "2", "-n", "worker@hub", *worker),
        program("screening", *celery, "worker", "-Q", "screening", "-c", "1", "-P", "solo", "-n", "screening@hub", *worker),
        # The plain scheduler keeps its timetable in memory: beat only ticks, and a schedule file torn by a kill would stop it.
        program("beat", *celery, "beat", "--scheduler", "celery.beat:Scheduler", "--loglevel", "WARNING", "--pidfile", ""),
    ]


def sandbox_program(state: State, inherited: Mapping[str, str], hub: Mapping[str, str]) -> Program:
    return Program(
        name="sandbox",
        command=(sys.executable, "-m", "sandbox"),
        environment={**inherited, **environment.sandbox_environment(state, hub)},
        folder=PROJECT,
        log=state.log("sandbox"),
    )


class Preparation:
    """
    `manage.py hub_prepare`: tables, then the demo, in one process whose JSON lines say how far it is.

    Its standard error goes to the log, and what this run wrote there is shown when something fails.
    """

    command: tuple[str, ...] = (sys.executable, "manage.py", "hub_prepare")

    def __init__(self, log: Path, environ: Mapping[str, str]) -> None:
        self.log = log
        self.log_begins = log.stat().st_size if log.exists() else 0
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                self.command,
                cwd=PROJECT,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                # Unbuffered: select() must see what is left of two lines that came together.
                bufsize=0,
            )
        self.said: dict[str, Any] = {}

    def wait_for(self, word: str, supervisor: Supervisor) -> Any:
        """
        What it says under this word; waits for it.

        :raises RunError: it ended without saying it.
        """
        assert self.process.stdout
        while word not in self.said:
            # Poll, so that a Ctrl-C during a long migration is heard.
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                line = self.process.stdout.readline()
                if not line:
                    raise RunError(f"Preparing the database failed. The end of {self.log}:\n{self.problem()}")
                self.said.update(_document(line))
            if supervisor.stopping.is_set():
                self.end()
                raise Stopped
        return self.said[word]

    def problem(self) -> str:
        return tail(self.log, self.log_begins)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()


def _document(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}  # somebody's print
    return found if isinstance(found, dict) else {}


def tail(log: Path, begins: int = 0, lines: int = 15) -> str:
    with log.open("rb") as file:
        file.seek(begins)
        text = file.read().decode(errors="replace")
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def answers(url: str, path: str = "/readyz") -> bool:
    try:
        with DIRECT.open(url.replace("//localhost:", "//127.0.0.1:") + path, timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def bring_up(
    state: State, supervisor: Supervisor, servers: Servers, *, environ: Mapping[str, str], url: str, sockets: tuple[int, ...]
) -> dict[str, Any]:
    """All of it; what `demo_access` says."""
    hub = environment.hub_environment(state, environ, public_url=url)
    inherited = {**environment.inherited(environ), processes.MARK: state.mark}
    common = {**inherited, **hub}
    supervisor.add(sandbox_program(state, inherited, hub))
    servers.add_to(supervisor)
    wait_until(servers.ready, supervisor, seconds=60, what="PostgreSQL or Valkey")
    try:
        # The demo's people pay on its hosted page.
        wait_until(lambda: answers(hub["SANDBOX_URL"], "/healthz"), supervisor, seconds=30, what="The sandbox")
    except RunError as error:
        supervisor.say(str(error))
    preparation = Preparation(state.log("setup"), common)
    try:
        preparation.wait_for("migrated", supervisor)
        # The web program loads its code while the demo is loaded. Those that do what is due come after it: the demo lives
        # through last year and does that year's work itself.
        web, *workers = hub_programs(state, common, sockets)
        supervisor.add(web)
        demo: dict[str, Any] = preparation.wait_for("demo", supervisor)
        supervisor.add(*workers)
        if not preparation.said.get("demo_loaded"):
            supervisor.say(f"The demo could not be loaded:\n{preparation.problem()}")
    finally:
        preparation.end()
    wait_until(lambda: answers(url), supervisor, seconds=READY_SECONDS, what="The web program")
    supervisor.update(phase="serving")
    return demo
