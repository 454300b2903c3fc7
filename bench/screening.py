"""Names against 50,000 names of made-up lists: one question's time, and questions in a row, beside comparing with every name."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from statistics import median

from bench.rows import Row, against

NAMES = 50_000
BAR_MS = 10.0
_SYLLABLES = (
    "ma mo mu ha hu ka ki la li ra ri sa sha ta to va vi ya yu za al an ar as el en er es il in"
    " ir is ol on or os ul un ur us bek dar din gul han jan kov lan man nov ovi pet qas rah sen tan vic wal xan yev zai"
).split()


def rows(*, quick: bool = False) -> Iterator[Row]:
    from compliance.screening.index import IndexedEntry, NameIndex

    choose = random.Random(7)
    count = NAMES // 10 if quick else NAMES
    given, family = _words(choose, 900), _words(choose, 6000)
    names = [_name(choose, given, family) for _ in range(count)]
    began = time.monotonic()
    index = NameIndex((name, IndexedEntry("bench", str(number), "Person", ""), False) for number, name in enumerate(names))
    yield Row("screening.build", round(time.monotonic() - began, 2), "s", f"{count:,} names", None, None)

    asked = [_misspelt(choose, choose.choice(names)) for _ in range(100 if quick else 400)]
    asked += [_name(choose, given, family) for _ in asked]
    times = [_timed(index, name) for name in asked]
    times.sort()
    yield against("screening.single", "ms", times[int(len(times) * 0.95)], f"bar: 95 % of questions over {count:,} names", BAR_MS)
    per_second = len(times) / sum(times) * 1000
    peer = _everything(names, asked[:20])
    yield Row("screening.batch", round(per_second, 1), "names/s", "rapidfuzz over every name", round(peer, 1), round(per_second / peer, 1))
    yield Row("screening.single.median", round(median(times), 2), "ms", "", None, None)


def _timed(index: object, name: str) -> float:
    began = time.perf_counter()
    index.search(name, schema="Person")  # type: ignore[attr-defined]
    return (time.perf_counter() - began) * 1000


def _everything(names: list[str], asked: list[str]) -> float:
    """Questions per second without an index."""
    from rapidfuzz import fuzz, process

    began = time.perf_counter()
    for name in asked:
        process.extract(name, names, scorer=fuzz.token_sort_ratio, score_cutoff=70, limit=10)
    return len(asked) / (time.perf_counter() - began)


def _words(choose: random.Random, count: int) -> list[str]:
    return ["".join(choose.choices(_SYLLABLES, k=choose.choice((2, 2, 3)))).capitalize() for _ in range(count)]


def _name(choose: random.Random, given: list[str], family: list[str]) -> str:
    # Given names are shared by many, as they are on real lists.
    first = given[min(int(choose.expovariate(1 / 60)), len(given) - 1)]
    middle = [choose.choice(given)] if choose.random() < 0.5 else []
    return " ".join([first, *middle, choose.choice(family)])


def _misspelt(choose: random.Random, name: str) -> str:
    place = choose.randrange(1, len(name) - 1)
    return choose.choice((name[:place] + name[place + 1 :], name[:place] + choose.choice("aeiolnrst") + name[place:]))
