"""
Which line of theirs is which entry of ours: a plain function over two lists.

First what carries the same reference, whatever its amount; then, of the rest, equal amounts whose days are near, the nearest
first. Every line and every entry is used once. Amounts are minor units with the same sign on both sides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

# Weekends, cut-off times and zones: further apart, equal amounts are another movement.
DAYS_APART = 3


@dataclass(frozen=True, slots=True)
class Side:
    """A movement as one of the two books has it. `key` says which one it is there."""

    key: int
    amount: int
    on: date
    references: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pair:
    ours: Side
    theirs: Side
    reason: str = ""
    """"": they agree; "amount" or "day": on what they do not."""


@dataclass(frozen=True, slots=True)
class Result:
    pairs: list[Pair]
    missing: list[Side]
    extra: list[Side]

    @property
    def matched(self) -> list[Pair]:
        return [pair for pair in self.pairs if not pair.reason]

    @property
    def different(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair.reason]


def references(*texts: str) -> frozenset[str]:
    """Ids in a form in which two books can be compared: no hyphens or blanks, small letters."""
    return frozenset(text.replace("-", "").replace(" ", "").casefold() for text in texts if text.strip())


def match(ours: Sequence[Side], theirs: Sequence[Side], *, days: int = DAYS_APART) -> Result:
    free = {one.key: one for one in ours}
    pairs: list[Pair] = []
    rest = _by_reference(theirs, free, pairs, days)
    missing = _by_amount(rest, free, pairs, days)
    return Result(pairs, missing, list(free.values()))


def _by_reference(theirs: Iterable[Side], free: dict[int, Side], pairs: list[Pair], days: int) -> list[Side]:
    known: dict[str, list[int]] = defaultdict(list)
    for one in free.values():
        for reference in one.references:
            known[reference].append(one.key)
    rest = []
    for line in theirs:
        candidates = [free[key] for reference in sorted(line.references) for key in known.get(reference, []) if key in free]
        if not candidates:
            rest.append(line)
            continue
        # A payment may have several movements (paid, and paid back): that with the same amount, else the nearest.
        chosen = min(candidates, key=lambda one: (one.amount != line.amount, abs((one.on - line.on).days), one.key))
        del free[chosen.key]
        reason = "amount" if chosen.amount != line.amount else "day" if abs((chosen.on - line.on).days) > days else ""
        pairs.append(Pair(chosen, line, reason))
    return rest


def _by_amount(rest: list[Side], free: dict[int, Side], pairs: list[Pair], days: int) -> list[Side]:
    by_amount: dict[int, list[Side]] = defaultdict(list)
    for one in free.values():
        by_amount[one.amount].append(one)
    near = sorted(
        (abs((one.on - line.on).days), line.on, line.key, one.key)
        for line in rest
        for one in by_amount.get(line.amount, [])
        if abs((one.on - line.on).days) <= days
    )
    lines, used = {line.key: line for line in rest}, set()
    for _apart, _on, line_key, key in near:
        if line_key not in used and key in free:
            used.add(line_key)
            pairs.append(Pair(free.pop(key), lines[line_key]))
    return [line for line in rest if line.key not in used]
