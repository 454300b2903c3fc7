"""
The supervisor: starts programs, starts them again when they end, and stops them.

Small on purpose, and instead of PyPI's `supervisor` for what that one does not do: it ends a dead program's children before
the next start (an orphaned Celery child would go on taking work), never gives up on a crash loop, needs no control socket,
and keeps the web socket open itself, so that browsers wait instead of being refused while the web program restarts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from hub.runtime import processes
from hub.runtime.processes import Identity
from hub.runtime.programs import Program
from hub.runtime.state import State

TICK_SECONDS = 0.1
# A program that lived shorter than this has failed to start rather than died.
STEADY_SECONDS = 5.0
# Waiting before the 1st, 2nd, ... start after failures in a row; the last value repeats for ever.
BACKOFF_SECONDS = (0.0, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
LOG_LIMIT_BYTES = 5_000_000

Say = Callable[[str], None]


class Supervised:
    """One program and its present process."""

    def __init__(self, program: Program, say: Say) -> None:
        self.program = program
        self.say = say
        self.process: subprocess.Popen[bytes] | None = None
        self.identity: Identity | None = None
        self.started_at = 0.0
        self.next_start_at = 0.0
        self.failures = 0

    def start(self) -> None:
        program = self.program
        program.before_start()
        _shorten(program)
        with program.log.open("ab") as output, open(program.input or os.devnull, "rb") as source:
            owner = program.owner
            self.process = subprocess.Popen(
                program.command,
                stdin=source,
                stdout=output,
                stderr=output,
                cwd=program.folder,
                env=dict(program.environment),
                pass_fds=program.sockets,
                user=owner.uid if owner else None,
                group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
                umask=0o077,
                # A group of its own: a Ctrl-C at the terminal reaches only the supervisor, and all of a program can be ended at once.
                start_new_session=True,
            )
        self.identity = Identity.of(self.process.pid)
        self.started_at = time.monotonic()

    def tick(self, now: float) -> bool:
        """Look after the program; True when its process changed."""
        if self.process is None:
            if now < self.next_start_at:
                return False
            self._try_start(now)
            return True
        code = self.process.poll()
        if code is None:
            return False
        self._ended(code, now)
        return True

    def _try_start(self, now: float) -> None:
        try:
            self.start()
        except OSError as error:  # out of processes, memory or disk: try again later, as with any other failure
            self._failed(now, f"{self.program.name} could not be started ({error})")

    def _ended(self, code: int, now: float) -> None:
        self.signal_group(signal.SIGKILL)
        lived = now - self.started_at
        if lived >= STEADY_SECONDS:
            self.failures = 0
        reason = f"signal {-code}" if code < 0 else f"exit {code}"
        self._failed(now, f"{self.program.name} ended ({reason})")

    def _failed(self, now: float, what: str) -> None:
        wait = BACKOFF_SECONDS[min(self.failures, len(BACKOFF_SECONDS) - 1)]
        self.failures += 1
        self.process = self.identity = None
        self.next_start_at = now + wait
        when = f"in {wait:g} s" if wait else "now"
        self.say(f"{what}; starting it again {when}. Its log: {self.program.log}")

    def signal_group(self, number: signal.Signals) -> None:
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.program.stop_signal)

    def wait_stopped(self, deadline: float, *, hurry: Callable[[], bool]) -> None:
        if not self.process:
            return
        while self.process.poll() is None and time.monotonic() < deadline and not hurry():
            time.sleep(0.05)
        if self.process.poll() is None and self.program.stop_signal == signal.SIGINT:
            # PostgreSQL's "immediate": it leaves its memory in order, and recovers at the next start.
            self.process.send_signal(signal.SIGQUIT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        self.signal_group(signal.SIGKILL)
        self.process.wait()


def _shorten(program: Program) -> None:
    """Keep one older file, so that a crash loop cannot fill the disk."""
    with suppress(OSError):
        if program.log.stat().st_size > LOG_LIMIT_BYTES:
            program.log.replace(program.log.with_suffix(".log.1"))


class Supervisor:
    def __init__(self, state: State, say: Say) -> None:
        self.state = state
        self.say = say
        self.facts: dict[str, Any] = {"phase": "starting"}
        self.stopping = threading.Event()
        self.hurry = False
        self._asked_at = 0.0
        self._programs: list[Supervised] = []
        # Programs are added by the thread that brings the hub up while the main thread looks after those already there.
        self._lock = threading.RLock()

    def add(self, *programs: Program) -> None:
        with self._lock:
            for program in programs:
                if self.stopping.is_set():
                    return
                supervised = Supervised(program, self.say)
                self._programs.append(supervised)
                supervised.tick(time.monotonic())
            self.write_record()

    def update(self, **facts: Any) -> None:
        with self._lock:
            self.facts.update(facts)
            self.write_record()

    def write_record(self) -> None:
        running = [{"name": s.program.name, **s.identity.record()} for s in self._programs if s.identity]
        me = Identity.of(os.getpid())
        # The folder may have been deleted under us; run() notices that by itself.
        with suppress(OSError):
            self.state.write_run_record({**self.facts, "supervisor": me.record() if me else None, "processes": running})

    def request_stop(self) -> None:
        """Safe in a signal handler. Asked again later, it stops waiting for the programs."""
        now = time.monotonic()
        if not self.stopping.is_set():
            self._asked_at = now
        # make passes a signal on that the whole group has got already: that is not impatience.
        elif now - self._asked_at > 1:
            self.hurry = True
        self.stopping.set()

    def run(self, *, also: Callable[[], None] = lambda: None) -> None:
        """Look after the programs until somebody asks to stop."""
        while not self.stopping.is_set():
            with self._lock:
                changed = [supervised.tick(time.monotonic()) for supervised in self._programs]
                if any(changed):
                    self.write_record()
            also()
            if not self.state.exists:
                self.say("The state folder is gone; stopping.")
                self.request_stop()
            time.sleep(TICK_SECONDS)

    def stop_all(self) -> None:
        self.stopping.set()
        with self._lock:
            self.facts["phase"] = "stopping"
            self.write_record()
            for phase in sorted({s.program.phase for s in self._programs}, reverse=True):
                self._stop_phase([s for s in self._programs if s.program.phase == phase])
            self._programs.clear()
            if self.state.exists:
                self.state.path.joinpath("run.json").unlink(missing_ok=True)

    def _stop_phase(self, programs: Iterable[Supervised]) -> None:
        programs = list(programs)
        for supervised in programs:
            supervised.ask_to_stop()
        begun = time.monotonic()
        for supervised in programs:
            supervised.wait_stopped(begun + supervised.program.stop_seconds, hurry=lambda: self.hurry)


def end_leftovers(state: State) -> int:
    """
    End what a killed supervisor left running, and say how many processes that were. Call it with the state's lock held.

    The programs first and PostgreSQL last, so that what they were doing can still be written.
    """
    record = state.run_record()
    recorded = {item.get("name"): Identity.from_record(item) for item in record.get("processes", []) if isinstance(item, dict)}
    servers = {"postgres", "valkey"}
    found = {identity for name, identity in recorded.items() if identity and identity.alive and name not in servers}
    if state.mark:
        found |= set(processes.marked(state.mark))
    server_pids = {identity for name, identity in recorded.items() if identity and identity.alive and name in servers}
    postgres = recorded.get("postgres")
    processes.end(found - server_pids)
    processes.end([identity for identity in server_pids if identity == postgres], first=signal.SIGINT, seconds=20)
    processes.end(server_pids)
    state.path.joinpath("run.json").unlink(missing_ok=True)
    return len(found | server_pids)
