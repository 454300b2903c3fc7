"""Bringing the hub up, in order: servers, tables, demo, programs, ready."""

from __future__ import annotations

import json
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


def run_step(supervisor: Supervisor, log: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """
    One `manage.py` command to its end; what it printed on standard output.

    :raises RunError: it failed, with the end of what it said.
    """
    with log.open("ab") as errors:
        step = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    while True:
        try:
            output = step.communicate(timeout=0.2)[0].decode(errors="replace")
            break
        except subprocess.TimeoutExpired:
            if supervisor.stopping.is_set():
                step.terminate()
                step.communicate()
                raise Stopped from None
    if step.returncode:
        raise RunError(f"`manage.py {' '.join(arguments)}` failed (exit {step.returncode}). The end of {log}:\n{tail(log)}")
    return output


def _try_step(supervisor: Supervisor, log: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """Like run_step, for steps without which the hub is still worth having: a demo that does not load must be seen, but not stop it."""
    try:
        return run_step(supervisor, log, environ, *arguments)
    except RunError as error:
        supervisor.say(str(error))
        return ""


def tail(log: Path, lines: int = 15) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")[-20_000:]
    except OSError:
        return ""
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def answers(url: str, path: str = "/readyz") -> bool:
    try:
        with urllib.request.urlopen(url.replace("//localhost:", "//127.0.0.1:") + path, timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def bring_up(
    state: State, supervisor: Supervisor, servers: Servers, *, environ: Mapping[str, str], url: str, sockets: tuple[int, ...]
) -> dict[str, Any]:
    """All of it; what `demo_access` says in the end."""
    hub = environment.hub_environment(state, environ, public_url=url)
    inherited = {**environment.inherited(environ), processes.MARK: state.mark}
    common = {**inherited, **hub}
    supervisor.add(sandbox_program(state, inherited, hub))
    servers.add_to(supervisor)
    wait_until(servers.ready, supervisor, seconds=60, what="PostgreSQL or Valkey")
    log = state.log("setup")
    run_step(supervisor, log, common, "migrate", "--no-input")
    supervisor.add(*hub_programs(state, common, sockets))
    # While the programs load their code; nothing of theirs needs the demo.
    _try_step(supervisor, log, common, "demo_load")
    access = _try_step(supervisor, log, common, "demo_access", "--json")
    wait_until(lambda: answers(url), supervisor, seconds=READY_SECONDS, what="The web program")
    supervisor.update(phase="serving")
    try:
        found = json.loads(access)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
