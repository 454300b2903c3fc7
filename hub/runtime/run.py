"""`make run`: one hub per state folder, from this terminal until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from hub.runtime import bootstrap, ports
from hub.runtime.errors import RunError
from hub.runtime.state import FolderLock, State
from hub.runtime.supervise import Supervisor, end_leftovers

# Long enough for a supervisor that lost its terminal to notice it.
PATIENCE_SECONDS = 2.0
STOPPING_SECONDS = 60.0


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except (OSError, ValueError):
        # The terminal is gone (its window closed, make killed), and that must not end the hub.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def run(environ: Mapping[str, str], *, with_parent: bool = False) -> int:
    """
    :param with_parent: stop when the process that started us ends (`make` killed).
    """
    state = State.chosen(environ)
    state.create()
    lock = take_lock(state)
    users = FolderLock(state, "users.lock")
    try:
        if not users.take(seconds=0.2):
            say("Waiting for a management command that uses the embedded server ...")
            if not users.take(seconds=STOPPING_SECONDS):
                raise RunError("A management command is still using the embedded server; end it first.")
        left = end_leftovers(state)
        if left:
            say(f"Ended {left} processes that an earlier run had left behind.")
        port, sockets = ports.web_sockets(environ)
        try:
            return _serve(state, environ, port, tuple(found.fileno() for found in sockets), with_parent=with_parent)
        finally:
            for found in sockets:
                found.close()
    finally:
        users.release()
        lock.release()


def take_lock(state: State) -> FolderLock:
    """
    The right to be this folder's supervisor.

    :raises RunError: another one has it and keeps it.
    """
    lock = FolderLock(state)
    if lock.take(seconds=PATIENCE_SECONDS):
        return lock
    deadline = time.monotonic() + STOPPING_SECONDS
    while state.run_record().get("phase") == "stopping" and time.monotonic() < deadline:
        if lock.take(seconds=0.5):
            return lock
    url = state.run_record().get("url")
    where = f"at {url}" if url else "(it is just starting)"
    raise RunError(f"The hub is already running {where}. Its state folder is {state.path}.")


def _serve(state: State, environ: Mapping[str, str], port: int, sockets: tuple[int, ...], *, with_parent: bool) -> int:
    url = f"http://localhost:{port}"
    supervisor = Supervisor(state, say)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.request_stop())
    supervisor.update(url=url)
    say(f"Starting the hub; its state is kept in {state.path} ...")
    begun = time.monotonic()
    failure: list[BaseException] = []

    def come_up() -> None:
        try:
            servers = bootstrap.Servers(state, environ)
            access = bootstrap.bring_up(state, supervisor, servers, environ=environ, url=url, sockets=sockets)
            say(welcome(url, f"http://localhost:{servers.ports['sandbox']}", access, time.monotonic() - begun))
        except bootstrap.Stopped:
            pass
        except BaseException as error:  # whatever it is, the main thread must stop the servers and show it
            failure.append(error)
            supervisor.request_stop()

    parent = os.getppid()

    def watch_parent() -> None:
        if with_parent and os.getppid() != parent:
            supervisor.request_stop()

    starter = threading.Thread(target=come_up, name="bring-up", daemon=True)
    starter.start()
    supervisor.run(also=watch_parent)
    say("Stopping ...")
    starter.join(timeout=15)
    supervisor.stop_all()
    if failure:
        raise failure[0]
    say("Stopped.")
    return 0


def welcome(url: str, sandbox: str, access: Mapping[str, Any], seconds: float) -> str:
    lines = ["", f"The hub is ready at {url}  (after {seconds:.0f} s)", ""]
    for title, group, address in (("Sign in as", "people", url), ("Staff", "staff", f"{url}/admin/")):
        rows = access.get(group) or []
        lines += [
            f"  {title:<11} {row.get('email')}  password {row.get('password')}" + (f"  at {address}" if group == "staff" else "")
            for row in rows[:3]
        ]
    if access:
        lines += [f"  {'All':<11} .venv/bin/python manage.py demo_access  (with the staff's one-time codes, and the API's client)"]
    lines += [f"  {'Inbox':<11} {sandbox}/inbox/  (e-mails and text messages land here)", "", "Ctrl-C stops it.", ""]
    return "\n".join(lines)
