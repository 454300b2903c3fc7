"""Several threads that start at the same moment, each with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def together(count: int, work: Callable[[], T]) -> list[T]:
    """What each of the threads returned; an exception in one of them is raised here."""
    start, results, failures = threading.Barrier(count), [], []

    def run() -> None:
        try:
            start.wait(10)
            results.append(work())
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]
    return results
