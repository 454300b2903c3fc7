"""Lists of made-up names for tests, and the screening process in one call."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from compliance.screening import holder, lists
from core import due, events

N = "-0- "


def row(number: int, name: str, kind: str = "individual", remarks: str = "") -> str:
    kept = f'"{kind}"' if kind else N
    return f'{number},"{name}",{kept},"TEST",{",".join([N] * 7)},' + (f'"{remarks}"' if remarks else N)


def write(folder: Path, *rows: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "sdn.csv").write_text("\r\n".join(rows) + "\r\n", encoding="utf-8")
    return folder


def load(folder: Path, *rows: str, now: datetime) -> lists.Loaded:
    return lists.list_load(source="ofac", path=write(folder, *rows), now=now)


def settle() -> None:
    """What the default worker and the screening worker would do now."""
    holder.forget()
    for _ in range(20):
        if not (events.relay() + due.sweep(queue="screening") + due.sweep()):
            return
    raise AssertionError("there is always something left to do")
