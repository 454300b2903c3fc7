"""
The Django peer: django-hordak's `transfer_to`, in a process and a database of its own beside the bench's.

`python -m bench.hordak` answers each line "PROCESSES SECONDS" on standard input with transfers per second, so that the two can
be measured in turn.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from bench import database
from bench.clients import Client, throughput

ACCOUNTS = 200  # of one tree; hordak takes a while to make each
PEER = "django-hordak transfer_to, as many processes"


@contextlib.contextmanager
def running() -> Iterator[Callable[[int, float], float]]:
    """Gives a function that measures: processes and seconds in, transfers per second out."""
    name = f"hub_bench_hordak_{os.getpid()}"
    database.administer(f"CREATE DATABASE {name}")
    environment = {
        **os.environ,
        "HORDAK_DATABASE_URL": database.named(os.environ["DATABASE_OWNER_URL"], name),
        "DJANGO_SETTINGS_MODULE": "bench.hordak_settings",
    }
    try:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "bench.hordak"],
            cwd=database.ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        assert process.stdout
        asking, answers = process.stdin, process.stdout

        def measure(processes: int, seconds: float) -> float:
            asking.write(f"{processes} {seconds}\n")
            asking.flush()
            return float(answers.readline())

        with process:
            yield measure
            asking.close()
    finally:
        database.administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _client(accounts: list[int]) -> Client:
    def client(seed: int) -> Callable[[], object]:
        from django.db import connections
        from hordak.models import Account  # type: ignore[import-untyped]
        from moneyed import Money

        connections.close_all()
        choose, amount = random.Random(seed), Money("0.05", "EUR")
        known: list[Any] = list(Account.objects.filter(id__in=accounts))

        def call() -> object:
            source, target = choose.sample(known, 2)
            return source.transfer_to(target, amount)

        return call

    return client


def _serve() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.db import connections
    from hordak.models import Account

    accounts = [Account.objects.create(name=f"A{number}", code=str(number), type="LI", currencies=["EUR"]).id for number in range(ACCOUNTS)]
    connections.close_all()
    for line in sys.stdin:
        processes, seconds = line.split()
        print(throughput(_client(accounts), processes=int(processes), seconds=float(seconds)), flush=True)


if __name__ == "__main__":
    _serve()
