"""
The environment of commands run by hand: `.venv/bin/python manage.py ledger_verify`.

With DATABASE_URL set, the person has said what to use. Otherwise a running hub is found through its state folder, or the
embedded PostgreSQL is started for as long as a command uses it; several commands share one server, and the last one out
stops it. Valkey is not started: commands do their work in the database, and whatever wakes up next finds it there.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from hub.runtime import environment, postgres, processes
from hub.runtime.errors import RunError
from hub.runtime.processes import Identity
from hub.runtime.servers import ServerHome, home_for
from hub.runtime.state import PROJECT, FolderLock, State
from hub.runtime.supervise import Supervised, end_leftovers

# Commands that look at files and code only.
NO_DATABASE = frozenset(
    {
        "",
        "help",
        "version",
        "check",
        "makemigrations",
        "collectstatic",
        "compilemessages",
        "makemessages",
        "diffsettings",
        "findstatic",
        "hub_status",
        "spectacular",
    }
)
WAIT_SECONDS = 90.0
USUAL_URL = "http://localhost:8000"


def ensure_environment(argv: Sequence[str]) -> None:
    """Fill os.environ so that settings can be imported and the command finds its database. Never overrides what is set."""
    command = next((word for word in argv[1:] if not word.startswith("-")), "")
    environ = os.environ
    if environ.get("HUB_ENV") == "production":
        return
    state = State.chosen(environ)
    if environ.get("DATABASE_URL"):
        _know_the_keys(state)
    elif command in NO_DATABASE or _needs_none(command, argv):
        environ.setdefault("HUB_ENV", "development")
    else:
        try:
            _use_embedded(state, command)
        except RunError as error:
            sys.exit(f"{argv[0]}: {error}")


def _needs_none(command: str, argv: Sequence[str]) -> bool:
    words = {word.partition("=")[0] for word in argv[1:]}
    return bool({"--help", "-h", "--version"} & words) or (command == "screen" and "--pairs" in words)


def _fill(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        os.environ.setdefault(name, value)


def _know_the_keys(state: State) -> None:
    """
    A hub that runs on the person's own database still keeps its keys in the state folder, and without them nothing
    encrypted can be read. Somebody who sets HUB_ENV or a key is left alone.
    """
    alone = os.environ.get("HUB_ENV") or os.environ.get("HUB_SECRET_KEY") or os.environ.get("HUB_MASTER_KEYS")
    if not alone and state.exists and state.settings().get("ports"):
        _fill(environment.hub_environment(state, os.environ, public_url=str(state.run_record().get("url") or USUAL_URL)))


def _use_embedded(state: State, command: str) -> None:
    state.create()
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if state.supervisor():
            if _supervised_database_ready(state):
                _fill(environment.hub_environment(state, os.environ, public_url=str(state.run_record()["url"])))
                return
        elif _share_a_server(state, command):
            return
        time.sleep(0.2)
    raise RunError(f"The database of {state.path} is in use by a start or stop that does not end; see {state.path / 'logs'}.")


def _supervised_database_ready(state: State) -> bool:
    record = state.run_record()
    if record.get("phase") == "stopping" or not record.get("url") or not state.settings().get("ports"):
        return False
    return _recorded_server_ready(state)


def _recorded_server_ready(state: State) -> bool:
    listed = {item.get("name"): Identity.from_record(item) for item in state.run_record().get("processes", [])}
    found = listed.get("postgres")
    return bool(found and found.alive and postgres.is_ready(home_for(state)))


def _share_a_server(state: State, command: str) -> bool:
    """Start the server, or join one that another command started. False: somebody is in the middle of starting or stopping."""
    lock = FolderLock(state)
    if not lock.take():
        return False
    users = FolderLock(state, "users.lock")
    try:
        if not users.take(shared=True):
            return False
        created = False
        if not _recorded_server_ready(state):
            created = _start_server(state)
        atexit.register(_leave, state, users)
        _stop_politely_on_terminate()
        _fill(environment.hub_environment(state, os.environ, public_url=USUAL_URL))
    finally:
        lock.release()
    if created and command != "migrate":
        _migrate(state)
    return True


def _start_server(state: State) -> bool:
    end_leftovers(state)
    home = home_for(state)
    ports = environment.choose_ports(state)
    created = postgres.create(home, state.secrets(), state.log("postgres"))
    server = Supervised(postgres.program(home, ports["postgres"], state.log("postgres")), lambda _: None)
    server.start()
    if not server.identity or not _wait_ready(home, server):
        server.signal_group(signal.SIGKILL)
        raise RunError(f"The embedded PostgreSQL did not start; see {state.log('postgres')}.")
    state.write_run_record({"phase": "command", "processes": [{"name": "postgres", **server.identity.record()}]})
    # Its stop is somebody else's business: Popen must not warn about a child that outlives it.
    if server.process:
        server.process.returncode = 0
    return created


def _wait_ready(home: ServerHome, server: Supervised) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.process and server.process.poll() is None:
        if postgres.is_ready(home):
            return True
        time.sleep(0.05)
    return False


def _migrate(state: State) -> None:
    """A database that was made this moment has no tables yet, and the command expects them."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input"],
        cwd=PROJECT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RunError(f"The new database could not be migrated:\n{done.stderr[-3000:]}")


def _stop_politely_on_terminate() -> None:
    # Python's default for SIGTERM skips atexit, and the server would stay behind until the next start.
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _leave(state: State, users: FolderLock) -> None:
    """Stop the server unless another command still uses it."""
    with suppress(OSError):
        if users.take():
            listed = {item.get("name"): Identity.from_record(item) for item in state.run_record().get("processes", [])}
            server = listed.get("postgres")
            if server:
                _collecting_end(server)
                state.path.joinpath("run.json").unlink(missing_ok=True)
    users.release()


def _collecting_end(server: Identity) -> None:
    processes.end([server], first=signal.SIGINT, seconds=20)
    # Our own child would stay a zombie until this command is gone, which is about to happen anyway.
    with suppress(ChildProcessError, OSError):
        os.waitpid(server.pid, os.WNOHANG)
