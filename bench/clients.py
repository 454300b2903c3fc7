"""Many processes calling one thing for a while."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier

_processes = multiprocessing.get_context("fork")
# Given a seed, makes whatever one client needs (its connection) and returns the call to repeat.
Client = Callable[[int], Callable[[], object]]


def throughput(client: Client, *, processes: int, seconds: float, seed: int = 0, warm_up: int = 50) -> float:
    """Calls per second of all processes together. Every process warms up before the clock starts."""
    start = _processes.Barrier(processes)
    counts = _processes.Queue()
    running = [
        _processes.Process(target=_run, args=(client, seed + number, seconds, warm_up, start, counts)) for number in range(processes)
    ]
    for process in running:
        process.start()
    total = sum(counts.get(timeout=seconds + 60) for _ in running)
    for process in running:
        process.join()
    return float(total)


def _run(client: Client, seed: int, seconds: float, warm_up: int, start: Barrier, counts: multiprocessing.Queue[float]) -> None:
    call = client(seed)
    for _ in range(warm_up):
        call()
    start.wait(60)
    done, began = 0, time.perf_counter()
    end = began + seconds
    while time.perf_counter() < end:
        call()
        done += 1
    counts.put(done / (time.perf_counter() - began))
