"""
Which processes are ours, and how to end them.

A pid alone proves nothing: pids are used again. A process is ours when pid and start time are the recorded ones, when its
environment carries this state folder's mark, or when it is a PostgreSQL process standing in our data folder
(PostgreSQL overwrites its own environment, and its children leave the process group).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "HUB_RUN_MARK"
PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """None when there is no such process, or only a zombie that nobody has collected yet."""
        started = _started(pid)
        return cls(pid, started) if started else None

    @classmethod
    def from_record(cls, record: Any) -> Identity | None:
        if isinstance(record, dict) and isinstance(record.get("pid"), int) and isinstance(record.get("started"), str):
            return cls(record["pid"], record["started"])
        return None

    def record(self) -> dict[str, Any]:
        return {"pid": self.pid, "started": self.started}

    @property
    def alive(self) -> bool:
        return _started(self.pid) == self.started


def _started(pid: int) -> str:
    if not PROC.joinpath("self/stat").exists():
        return _started_by_ps(pid)
    try:
        stat = PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
        boot = PROC.joinpath("sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    # The second field is the program's name in brackets and may hold spaces and brackets itself.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def _started_by_ps(pid: int) -> str:
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, env={"LC_ALL": "C", "PATH": os.defpath}
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return "" if not state or state.startswith("Z") else started.strip()


def marked(mark: str) -> list[Identity]:
    """Processes whose environment carries the mark (Linux; elsewhere the recorded pids must do)."""
    wanted = f"{MARK}={mark}".encode()
    return list(_matching(lambda folder: wanted in folder.joinpath("environ").read_bytes().split(b"\0")))


def standing_in(folder: Path, program: str) -> list[Identity]:
    """Processes of `program` (its file's name) whose working directory is `folder`."""
    where = str(folder.resolve())
    return list(
        _matching(
            lambda process: os.readlink(process / "cwd") == where and Path(os.readlink(process / "exe")).name.split(" ")[0] == program
        )
    )


def _matching(test: Any) -> Iterator[Identity]:
    try:
        names = [name for name in os.listdir(PROC) if name.isdigit()]
    except OSError:
        return
    for name in names:
        pid = int(name)
        if pid == os.getpid():
            continue
        # Other people's processes are not readable, and a process may end while it is looked at.
        with suppress(OSError):
            if test(PROC / name):
                identity = Identity.of(pid)
                if identity:
                    yield identity


def send(identities: Iterable[Identity], number: signal.Signals) -> None:
    for identity in identities:
        with suppress(ProcessLookupError):
            if identity.alive:
                os.kill(identity.pid, number)


def wait_gone(identities: Iterable[Identity], seconds: float) -> list[Identity]:
    """Those still there after `seconds`."""
    deadline = time.monotonic() + seconds
    left = [identity for identity in identities if identity.alive]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [identity for identity in left if identity.alive]
    return left


def end(identities: Iterable[Identity], *, first: signal.Signals = signal.SIGTERM, seconds: float = 3) -> None:
    """Ask politely, wait, then insist."""
    left = list(identities)
    send(left, first)
    left = wait_gone(left, seconds)
    send(left, signal.SIGKILL)
    wait_gone(left, 5)
