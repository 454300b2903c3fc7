"""`python -m hub.runtime test-env -- COMMAND`: a command with an embedded PostgreSQL and Valkey of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

from hub.runtime import bootstrap, environment
from hub.runtime.errors import RunError
from hub.runtime.run import say
from hub.runtime.state import FolderLock, State
from hub.runtime.supervise import Supervisor, end_leftovers

# Commands here commit thousands of small transactions; a power cut may take the last of theirs. Everything else stays as it is
# for people.
POSTGRES_SETTINGS: Mapping[str, str] = {"synchronous_commit": "off"}
# For tests, which make and drop a database every other second: a power cut may take it all, and the next run starts afresh anyway.
THROWAWAY_SETTINGS: Mapping[str, str] = {**POSTGRES_SETTINGS, "fsync": "off", "full_page_writes": "off"}


def run_with_servers(command: Sequence[str], environ: Mapping[str, str], *, throwaway: bool = False) -> int:
    """
    The command's exit code. Servers that DATABASE_URL and REDIS_URL name are used as they are.

    :param throwaway: PostgreSQL never waits for the disk. Not for what measures, or proves that nothing is lost.
    """
    if environ.get("DATABASE_URL") and environ.get("REDIS_URL"):
        return subprocess.run(list(command), env={**environ, "HUB_ENV": environ.get("HUB_ENV", "test")}, check=False).returncode
    state, lock = _free_folder(environ)
    try:
        end_leftovers(state)
        return _run(state, command, environ, THROWAWAY_SETTINGS if throwaway else POSTGRES_SETTINGS)
    finally:
        lock.release()


def _free_folder(environ: Mapping[str, str]) -> tuple[State, FolderLock]:
    """`test` in the state folder, or `test-2` and so on while other test runs use those: what a killed run left is found again."""
    base = State.chosen(environ)
    for number in range(1, 10):
        state = State(base.path / ("test" if number == 1 else f"test-{number}"))
        state.create()
        lock = FolderLock(state)
        if lock.take():
            return state, lock
        lock.release()
    raise RunError("Nine test runs are under way already.")


def _run(state: State, command: Sequence[str], environ: Mapping[str, str], settings: Mapping[str, str]) -> int:
    supervisor = Supervisor(state, say)
    # Ctrl-C reaches the command as well, which ends by itself; the servers must outlive it.
    signal.signal(signal.SIGINT, lambda *_: None)
    child: list[subprocess.Popen[bytes]] = []

    def terminated(*_: object) -> None:
        supervisor.request_stop()
        for process in child:
            process.terminate()

    signal.signal(signal.SIGTERM, terminated)
    outcome: list[int | BaseException] = []

    def work() -> None:
        try:
            servers = bootstrap.Servers(state, environ, postgres_settings=settings)
            if servers.home:
                # Databases that a killed run did not drop would meet the next one under the same names.
                shutil.rmtree(servers.home.postgres_data, ignore_errors=True)
            servers.add_to(supervisor)
            bootstrap.wait_until(servers.ready, supervisor, seconds=60, what="PostgreSQL or Valkey")
            found = {**environ, "HUB_ENV": environ.get("HUB_ENV", "test"), **environment.connections(state, environ)}
            child.append(subprocess.Popen(list(command), env=found))
            outcome.append(child[0].wait())
        except bootstrap.Stopped:
            outcome.append(143)
        except BaseException as error:  # shown by the main thread once the servers are stopped
            outcome.append(error)
        finally:
            supervisor.request_stop()

    worker = threading.Thread(target=work, name="tests", daemon=True)
    worker.start()
    try:
        supervisor.run()
        worker.join(timeout=60)
    finally:
        supervisor.stop_all()
    result = outcome[0] if outcome else 143
    if isinstance(result, BaseException):
        raise result
    return result if result >= 0 else 128 - result
