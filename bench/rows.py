"""What a measurement gives, and how it is printed and kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside a peer measured in the same run, or beside the bar it has to reach. `ratio` is value / peer_value."""

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float | None = None
    ratio: float | None = None


def beside(name: str, unit: str, values: list[float], peer: str, peer_values: list[float]) -> Row:
    """Medians of interleaved runs; the ratio is of the medians."""
    value, peer_value = median(values), median(peer_values)
    return Row(name, round(value, 3), unit, peer, round(peer_value, 3), round(value / peer_value, 3) if peer_value else None)


def against(name: str, unit: str, value: float, bar: str, bar_value: float) -> Row:
    return Row(name, round(value, 3), unit, bar, bar_value, round(value / bar_value, 3))


def show(row: Row) -> None:
    peer = "" if row.peer_value is None else f"{row.peer_value:>12,.2f}  {row.ratio:>6}  {row.peer}"
    print(f"{row.name:<26}{row.value:>12,.2f} {row.unit:<14}{peer}", flush=True)


def write(rows: list[Row]) -> None:
    """Rows that this run did not measure stay as they were."""
    kept = {row["name"]: row for row in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    kept |= {row.name: asdict(row) for row in rows}
    RESULTS.write_text(json.dumps([kept[name] for name in sorted(kept)], indent=1) + "\n")
