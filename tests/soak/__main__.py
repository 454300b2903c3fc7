"""
`python -m tests.soak`: load, kills, settling, proof. SOAK_KILLS says how many kills (50), SOAK_SEED which ones.

Exit 0 and a report when nothing was lost, doubled or left lying; else 1.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg2

from tests.soak.books import Books
from tests.soak.hub import VICTIMS, SoakHub, soak_hub
from tests.soak.load import Acknowledged, Load

SETTLE_SECONDS = 60.0
PEOPLE = 6
# Clients whose call was cut get their answer once the lock of its key has run out.
ANSWER_SECONDS = 60.0
REPLAYS = 40
# From kill to kill: sometimes in the middle of a restart, sometimes long enough to get work done.
PAUSE_SECONDS = (0.3, 5.0)


@dataclass
class Result:
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0
    settled_after: float = 0
    acknowledged: int = 0
    repeats: int = 0
    bills: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    ledger: dict[str, object] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def show(self) -> str:
        lines = [
            f"seed {self.seed}, {sum(self.kills.values())} kills in {self.seconds:.0f} s: "
            + ", ".join(f"{what} {number}" for what, number in sorted(self.kills.items())),
            f"acknowledged payments  {self.acknowledged}  (calls repeated: {self.repeats}; refused: {self.refused or 'none'})",
            f"bills                  {self.bills}",
            f"payments in all        {', '.join(f'{what} {number}' for what, number in sorted(self.counts.items()))}",
            f"settled                {self.settled_after:.1f} s after the last kill (at most {SETTLE_SECONDS:.0f})",
            f"ledger_verify          ok {self.ledger.get('ok')}, {self.ledger.get('transfers')} transfers, sums {self.ledger.get('sums')}",
        ]
        return "\n".join(
            [*lines, *(f"PROBLEM {text}" for text in self.problems), "FAILED" if self.problems else "Nothing lost, nothing doubled."]
        )


def soak(*, kills: int, seed: int, bills: int, say: bool = True) -> Result:
    result, chance = Result(seed=seed, bills=bills), random.Random(seed)

    def tell(text: str) -> None:
        if say:
            print(text, flush=True)

    tell("starting a hub ...")
    with soak_hub() as hub:
        people = json.loads(hub.command("-m", "tests.soak.people", str(PEOPLE)))
        load = Load(hub.url, people, seed)
        load.start()
        begun = time.monotonic()
        clerk = hub.start("-m", "tests.soak.bills", str(bills), str(kills * sum(PAUSE_SECONDS) / 2), str(PEOPLE))
        _kill(hub, kills, chance, result, tell)
        last = time.monotonic()
        result.seconds = last - begun
        load.stop()
        if clerk.wait(SETTLE_SECONDS):
            result.problems.append(f"bills could not be set up: {hub.output.read_text()[-2000:]}")
        _settle(hub, load, last, result, tell)
        load.join(last + ANSWER_SECONDS)
        _prove(hub, load, people, chance, result)
        if result.problems and (kept := os.environ.get("SOAK_KEEP")):
            hub.state.path.joinpath("logs").rename(kept)
    return result


def _kill(hub: SoakHub, kills: int, chance: random.Random, result: Result, tell: Callable[[str], None]) -> None:
    order: list[str] = []
    done = 0
    while done < kills:
        # Each is killed as often as the others, in an order of the seed's.
        order = order or chance.sample(VICTIMS, len(VICTIMS))
        what = hub.kill(order.pop(), chance)
        if what:
            done += 1
            result.kills[what] += 1
            if done % 10 == 0:
                tell(f"  {done} kills")
            time.sleep(chance.uniform(*PAUSE_SECONDS) if done < kills else 0)
        else:
            time.sleep(0.2)


def _settle(hub: SoakHub, load: Load, last: float, result: Result, tell: Callable[[str], None]) -> None:
    """Wait until nothing is open, twice in a row; what is still open after the time is a problem."""
    quiet, told = 0, 0.0
    still: dict[str, int] = {"no answer from the database": 1}
    while time.monotonic() < last + SETTLE_SECONDS + 30:
        try:
            books = Books(hub.settings["DATABASE_URL"])
            still = books.open([row.payment_id for row in _payments(load) if row.kind == "top-ups" and row.paid])
            books.close()
        except psycopg2.Error:
            still = {"no answer from the database": 1}
        quiet = quiet + 1 if not still else 0
        if still and time.monotonic() > told + 10:
            told = time.monotonic()
            tell(f"  {told - last:.0f} s after the last kill: {still}")
        if quiet == 1:
            result.settled_after = time.monotonic() - last
        if quiet == 3:
            break
        time.sleep(0.5)
    else:
        result.settled_after = time.monotonic() - last
    if still or result.settled_after > SETTLE_SECONDS:
        result.problems.append(f"not settled within {SETTLE_SECONDS:.0f} s but {result.settled_after:.0f}: {still}")


def _payments(load: Load) -> list[Acknowledged]:
    with load.tally.lock:
        return list(load.tally.payments)


def _prove(hub: SoakHub, load: Load, people: list[dict[str, object]], chance: random.Random, result: Result) -> None:
    payments = _payments(load)
    result.acknowledged, result.repeats, result.refused = len(payments), load.tally.repeats, load.tally.refused
    if load.tally.unanswered:
        result.problems.append(f"{len(load.tally.unanswered)} calls had no definite answer within {ANSWER_SECONDS:.0f} s")
    result.problems += _replayed(load, payments, chance)
    result.ledger = json.loads(hub.command("manage.py", "ledger_verify", "--json"))
    if not result.ledger.get("ok"):
        result.problems.append(f"ledger_verify: {result.ledger.get('problems')}")
    books = Books(hub.settings["DATABASE_URL"])
    result.problems += books.problems(payments, people, result.bills)
    result.counts = books.counts()
    books.close()


def _replayed(load: Load, payments: list[Acknowledged], chance: random.Random) -> list[str]:
    """The same key and body once more answer with the same payment."""
    by_handle = {client.me["handle"]: client for client in load.clients}
    problems = []
    for row in chance.sample(payments, min(REPLAYS, len(payments))):
        client = by_handle[row.key.rsplit("-", 1)[0]]
        again = client.definite(row.key, row.kind, row.body)
        if again.json().get("id") != row.payment_id:
            problems.append(f"key {row.key} answers {again.status_code} {again.json().get('id')}, and had answered {row.payment_id}")
    return problems


def main() -> int:
    kills = int(os.environ.get("SOAK_KILLS", "50"))
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
    result = soak(kills=kills, seed=seed, bills=max(12, kills))
    print(result.show())
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
