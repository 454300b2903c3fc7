"""
How many requests of which kind, and how long they took, over all web processes of one server.

The numbers live in memory that gunicorn's processes share: it is made when this module is first imported, which is before
they fork (`--preload`). Each series has a slot of fixed size. A record lock on the file guards it; the kernel frees that
when its holder is killed, and the file has no name, so nothing is left behind either.

Labels are route names, methods and status codes: nothing that a visitor wrote.
"""

from __future__ import annotations

import fcntl
import mmap
import struct
import tempfile
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SLOTS = 2048
_NAME = 112
# Microseconds in all, then how many fell into each bucket and above the last.
_NUMBERS = struct.Struct(f"<{len(BUCKETS) + 2}Q")
_SLOT = _NAME + _NUMBERS.size

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Series:
    route: str
    method: str
    status: str
    seconds: float
    counts: tuple[int, ...]


class Requests:
    """A histogram for each (route, method, status)."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="hub-metrics-")  # noqa: SIM115 (for the life of the process)
        self._file.truncate(SLOTS * _SLOT)
        self._memory = mmap.mmap(self._file.fileno(), SLOTS * _SLOT)
        # A record lock is the process's, not the thread's.
        self._threads = threading.Lock()
        self._known: dict[bytes, int] = {}

    def observe(self, *, route: str, method: str, status: int, seconds: float) -> None:
        name = "|".join((route or "none", method if method in METHODS else "other", str(status))).encode()[:_NAME]
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                place = self._place(name)
                if place is not None:
                    numbers = list(_NUMBERS.unpack_from(self._memory, place + _NAME))
                    numbers[0] += round(seconds * 1_000_000)
                    numbers[1 + bisect_left(BUCKETS, seconds)] += 1
                    _NUMBERS.pack_into(self._memory, place + _NAME, *numbers)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _place(self, name: bytes) -> int | None:
        """Where its slot begins; None when all are taken, which is better than to forget what was counted."""
        found = self._known.get(name)
        if found is not None:
            return found
        for place in range(0, SLOTS * _SLOT, _SLOT):
            there = self._memory[place : place + _NAME].rstrip(b"\0")
            if not there:
                self._memory[place : place + len(name)] = name
            if not there or there == name:
                self._known[name] = place
                return place
        return None

    def series(self) -> Iterator[Series]:
        for place in range(0, SLOTS * _SLOT, _SLOT):
            name = self._memory[place : place + _NAME].rstrip(b"\0").decode(errors="replace")
            if not name:
                return
            route, method, status = name.split("|")
            microseconds, *counts = _NUMBERS.unpack_from(self._memory, place + _NAME)
            yield Series(route, method, status, microseconds / 1_000_000, tuple(counts))


requests = Requests()


def line(name: str, value: float, labels: Labels = ()) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    number = str(value) if isinstance(value, int) else f"{value:.6f}"
    return f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def family(name: str, kind: str, about: str, lines: Iterable[str]) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *lines]


def requests_family() -> list[str]:
    name = "hub_request_seconds"
    lines = []
    for row in requests.series():
        labels: Labels = (("route", row.route), ("method", row.method), ("status", row.status))
        total = 0
        for edge, count in zip((*map(str, BUCKETS), "+Inf"), row.counts, strict=True):
            total += count
            lines.append(line(f"{name}_bucket", total, (*labels, ("le", edge))))
        lines += [line(f"{name}_sum", row.seconds, labels), line(f"{name}_count", total, labels)]
    return family(name, "histogram", "Time to answer requests, by route, method and status.", lines)
