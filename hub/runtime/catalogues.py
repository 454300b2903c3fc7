"""
Translations made ready to run: `python -m hub.runtime.catalogues` compiles every catalogue whose text is newer than its
compiled file. Needs no system tool, only Babel; collecting strings from the sources is a developer's work (docs/languages.md).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

LOCALE = Path(__file__).resolve().parents[2] / "locale"


def stale(folder: Path = LOCALE) -> list[Path]:
    """The catalogues (.po) that have no compiled file (.mo), or an older one."""
    return [path for path in sorted(folder.glob("*/LC_MESSAGES/*.po")) if _is_stale(path, path.with_suffix(".mo"))]


def _is_stale(source: Path, compiled: Path) -> bool:
    return not compiled.exists() or compiled.stat().st_mtime_ns < source.stat().st_mtime_ns


def compile_all(folder: Path = LOCALE) -> int:
    """Compile those that are stale; how many those were. Entries marked fuzzy are left out: English is better than a guess."""
    for path in (found := stale(folder)):
        _compile(path)
    return len(found)


def _compile(source: Path) -> None:
    # Imported here: most starts find nothing to do, and reading Babel would be the longest part of them.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parents[1].name, abort_invalid=True)
    # Two processes may compile at once, and a third may be reading: the file is replaced, never rewritten.
    with tempfile.NamedTemporaryFile(dir=source.parent, suffix=".tmp", delete=False) as made:
        write_mo(made, catalogue)
    os.chmod(made.name, 0o644)
    os.replace(made.name, source.with_suffix(".mo"))


if __name__ == "__main__":
    try:
        compile_all()
    except (OSError, ValueError) as error:
        sys.exit(f"The translations could not be compiled: {error}")
