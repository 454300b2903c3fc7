"""
Faults that are switched on: one row per place. `remaining` counts down and the place is normal again; None stays until changed.

A webhook fault is used up by a moment (everything one payment, refund or expiry emits), an API fault by a request, a bank's
outcome by a new order.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

API_MODES = (
    "normal",
    "slow",
    "error_500",
    "error_500_after_commit",
    "rate_limited",
    "timeout_before_commit",
    "timeout_after_commit",
)
PLACES: Mapping[str, tuple[str, ...]] = {
    "webhook": ("normal", "late", "lost", "duplicate", "reordered", "forged"),
    "create": API_MODES,
    "refund": API_MODES,
    "retrieve": API_MODES,
    "bank_create": API_MODES,
    "bank_retrieve": API_MODES,
    "bank_outcome": ("normal", "late", "returned"),
}
# Places whose seconds say how late something comes, not how slowly an answer.
LATE = ("webhook", "bank_outcome")
SECONDS_DEFAULT = {"late": 5.0, "slow": 2.0, "timeout_before_commit": 60.0, "timeout_after_commit": 60.0}
SECONDS_MAX = 86_400.0
COUNT_MAX = 1_000_000


class FaultInvalid(Exception):
    """The wish names an unknown place or mode, or a number that is none."""


@dataclass(frozen=True)
class Fault:
    mode: str = "normal"
    seconds: float = 0.0
    remaining: int | None = None


NONE = Fault()


def faults_all(db: sqlite3.Connection) -> dict[str, Fault]:
    rows = {row["place"]: Fault(row["mode"], row["seconds"], row["remaining"]) for row in db.execute("SELECT * FROM fault")}
    return {place: rows.get(place, NONE) for place in PLACES}


def fault_take(db: sqlite3.Connection, place: str) -> Fault:
    row = db.execute("SELECT * FROM fault WHERE place = ?", (place,)).fetchone()
    if row is None:
        return NONE
    fault = Fault(row["mode"], row["seconds"], row["remaining"])
    if fault.remaining is not None:
        if fault.remaining <= 1:
            db.execute("DELETE FROM fault WHERE place = ?", (place,))
        else:
            db.execute("UPDATE fault SET remaining = remaining - 1 WHERE place = ?", (place,))
    return fault


def fault_set(db: sqlite3.Connection, place: str, fault: Fault) -> None:
    db.execute("DELETE FROM fault WHERE place = ?", (place,))
    if fault.mode != "normal":
        db.execute("INSERT INTO fault VALUES (?, ?, ?, ?)", (place, fault.mode, fault.seconds, fault.remaining))


def wish_read(wish: Mapping[str, object]) -> dict[str, Fault]:
    """
    `{"webhook": "late", "late_seconds": 5, "create": "slow", "seconds": 2, "count": 1}` as faults by place.

    :raises FaultInvalid: a name, a mode or a number is wrong; nothing is to be changed then.
    """
    unknown = set(wish) - set(PLACES) - {"count", "seconds", "late_seconds"}
    if unknown:
        raise FaultInvalid(f"unknown: {', '.join(sorted(unknown))[:200]}")
    count = _number(wish, "count", most=COUNT_MAX)
    result: dict[str, Fault] = {}
    for place, modes in PLACES.items():
        if place not in wish:
            continue
        mode = wish[place]
        if not isinstance(mode, str) or mode not in modes:
            raise FaultInvalid(f"{place} is one of: {', '.join(modes)}")
        seconds = _number(wish, "late_seconds" if place in LATE else "seconds", most=SECONDS_MAX)
        if seconds is None:
            seconds = SECONDS_DEFAULT.get(mode, 0.0)
        # A count of nought would never be used up.
        result[place] = Fault(mode, seconds, int(count) if count else None)
    return result


def _number(wish: Mapping[str, object], name: str, *, most: float) -> float | None:
    value = wish.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise FaultInvalid(f"{name} is a number from 0 to {most:g}")
    return float(value)
