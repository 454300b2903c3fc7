"""`make reset`: stop what runs and remove the state folder with all data in it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from hub.runtime import processes, servers
from hub.runtime.errors import RunError
from hub.runtime.run import STOPPING_SECONDS, say
from hub.runtime.state import TEST_FOLDERS, FolderLock, State, remove
from hub.runtime.supervise import end_leftovers


def stop(state: State) -> bool:
    """Stop the hub that runs on this folder; False when none does."""
    supervisor = state.supervisor()
    if not supervisor:
        return False
    processes.send([supervisor], signal.SIGTERM)
    if processes.wait_gone([supervisor], STOPPING_SECONDS):
        raise RunError(f"The hub (process {supervisor.pid}) does not stop.")
    return True


def reset(environ: Mapping[str, str]) -> int:
    state = State.chosen(environ)
    if not state.path.exists():
        say(f"There is nothing to reset: {state.path} does not exist.")
        return 0
    for folder in sorted(state.path.glob(TEST_FOLDERS)):
        if State(folder).exists:
            _reset_one(State(folder))
    if not state.exists and not os.listdir(state.path):
        state.path.rmdir()
        say(f"Removed {state.path}.")
        return 0
    if not state.exists:
        raise RunError(f"{state.path} is not a hub's state folder; nothing was removed.")
    if stop(state):
        say("Stopped the running hub.")
    _reset_one(state)
    left = os.listdir(state.path) if state.path.exists() else []
    say(
        f"Removed {state.path}."
        if not left
        else f"Removed the hub's state from {state.path}; {', '.join(sorted(left))} is not the hub's and stays."
    )
    return 0


def _reset_one(state: State) -> None:
    lock = FolderLock(state)
    if not lock.take(seconds=5):
        raise RunError(f"{state.path} is in use; stop the hub or the tests there first.")
    try:
        end_leftovers(state)
        home = servers.recorded_home(state)
        if home:
            servers.end_servers_in(home)
        servers.remove_home(state)
        remove(state)
    finally:
        lock.release()
