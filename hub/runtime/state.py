"""
The state folder: `.hub/` in the project, or HUB_STATE_DIR.

    state.json    who this folder is (its mark), the ports, where the servers keep their data
    secrets.json  passwords and keys
    run.json      what runs now: the supervisor, its programs, the address
    demo.json     who may sign in to the demo (written by demo_load)
    lock          held by the one supervisor; users.lock shared by management commands (see connect)
    logs/         one file per program
    sandbox/      the pretend outside world's state
    servers/      PostgreSQL's and Valkey's data (as root: elsewhere, see servers)
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from hub.runtime import keys
from hub.runtime.errors import RunError
from hub.runtime.files import read_json, write_json
from hub.runtime.processes import Identity

PROJECT = Path(__file__).resolve().parents[2]
# All that a hub ever puts into its folder; reset removes these and nothing else.
CONTENTS = ("run.json", "demo.json", "secrets.json", "state.json", "lock", "users.lock", "logs", "sandbox", "servers", "staticfiles")
TEST_FOLDERS = "test*"


class State:
    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def chosen(cls, environ: Mapping[str, str]) -> State:
        named = environ.get("HUB_STATE_DIR", "").strip()
        return cls(Path(named).expanduser().resolve() if named else PROJECT / ".hub")

    @property
    def exists(self) -> bool:
        return self.path.joinpath("state.json").exists()

    def create(self) -> None:
        """Make the folder, or find it made. Safe to repeat."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("logs", "sandbox"):
                self.path.joinpath(name).mkdir(mode=0o700, exist_ok=True)
            if not self.settings().get("mark"):
                self.save(mark=secrets.token_hex(16))
        except PermissionError:
            raise RunError(
                f"The state folder {self.path} belongs to another user. Run as that user, or choose another HUB_STATE_DIR."
            ) from None
        except (FileExistsError, NotADirectoryError):
            raise RunError(f"The state folder {self.path} is not a folder. Choose another HUB_STATE_DIR.") from None

    def settings(self) -> dict[str, Any]:
        return read_json(self.path / "state.json")

    def save(self, **changes: Any) -> None:
        write_json(self.path / "state.json", {**self.settings(), **changes})

    @property
    def mark(self) -> str:
        return str(self.settings().get("mark", ""))

    def secrets(self) -> dict[str, str]:
        return keys.load(self.path / "secrets.json")

    def log(self, name: str) -> Path:
        return self.path / "logs" / f"{name}.log"

    # --- what runs now
    def run_record(self) -> dict[str, Any]:
        return read_json(self.path / "run.json")

    def write_run_record(self, record: dict[str, Any]) -> None:
        write_json(self.path / "run.json", record)

    def supervisor(self) -> Identity | None:
        """The living supervisor, if there is one."""
        found = Identity.from_record(self.run_record().get("supervisor"))
        return found if found and found.alive else None


class FolderLock:
    """An advisory lock on a file of the state folder; the kernel lets go of it when its holder dies, however it dies."""

    def __init__(self, state: State, name: str = "lock") -> None:
        self.path = state.path / name
        self.file: TextIO | None = None

    def take(self, *, shared: bool = False, seconds: float = 0) -> bool:
        self.file = self.file or open(self.path, "a+", encoding="utf-8")  # noqa: SIM115 (held for the life of the process)
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self.file, kind | fcntl.LOCK_NB)
                return True
            except OSError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.1)

    def release(self) -> None:
        if self.file:
            self.file.close()
            self.file = None


def remove(state: State) -> None:
    """Remove what a hub put there, and the folder itself when nothing else is in it."""
    for name in CONTENTS:
        path = state.path / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if not os.listdir(state.path):
        state.path.rmdir()
