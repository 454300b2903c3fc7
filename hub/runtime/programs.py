"""What a supervised program is."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hub.runtime.servers import Owner


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    owner: Owner | None = None
    input: Path | None = None
    sockets: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    # Programs of a later phase stop first: the ones people talk to, then the servers under them.
    phase: int = 1
    # Clears away what a killed predecessor left; runs before every start.
    before_start: Callable[[], None] = field(default=lambda: None)
