"""
Where the embedded servers live and as whom they run.

As an ordinary user: in the state folder, as that user. As root: PostgreSQL refuses to run as root, and an unprivileged user
reaches neither a state folder nor a `.venv` below a 0700 folder such as /root. So data and a copy of the programs then lie
in a folder of their own under /var/lib, run by `nobody`; the state folder remembers it and `make reset` removes both.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hub.runtime import binaries, processes
from hub.runtime.binaries import PostgresBinaries
from hub.runtime.errors import RunError
from hub.runtime.files import read_json, write_json
from hub.runtime.state import State

UNPRIVILEGED = "nobody"
ROOTS_FOLDERS = ("/var/lib", "/var/tmp", "/tmp")


@dataclass(frozen=True)
class Owner:
    uid: int
    gid: int


@dataclass(frozen=True)
class ServerHome:
    path: Path
    owner: Owner | None  # None: whoever runs the hub
    mark: str

    @property
    def postgres_data(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey_folder(self) -> Path:
        return self.path / "valkey"

    def make_folder(self, path: Path) -> Path:
        path.mkdir(mode=0o700, exist_ok=True)
        self.give(path)
        return path

    def give(self, path: Path) -> None:
        if self.owner:
            os.chown(path, self.owner.uid, self.owner.gid)

    def environment(self) -> Mapping[str, str]:
        """Servers get a clean environment: no secrets of ours, and no locale of the terminal's."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.path), processes.MARK: self.mark}

    def postgres(self) -> PostgresBinaries:
        """The newest PostgreSQL, or the one that made the data that is there."""
        version = self.postgres_data / "PG_VERSION"
        found = binaries.postgres_versions()
        if version.exists():
            made_by = int(version.read_text(encoding="ascii").split(".")[0])
            found = [candidate for candidate in found if candidate.major == made_by]
            if not found:
                raise RunError(
                    f"The data in {self.path} was made by PostgreSQL {made_by}, which is not installed. `make reset` starts afresh."
                )
        return self._copied_postgres(found[0]) if self.owner else found[0]

    def valkey(self) -> Path:
        program = binaries.valkey_server()
        if not self.owner:
            return program
        return self._copied("valkey", program, lambda target: shutil.copy2(program, target / program.name)) / program.name

    def _copied_postgres(self, original: PostgresBinaries) -> PostgresBinaries:
        def copy(target: Path) -> None:
            # The programs look for their libraries two folders up, so the wheel's own arrangement is kept.
            root = target / "package" / original.root.name
            for name in ("postgres", "initdb"):
                root.joinpath("bin").mkdir(parents=True, exist_ok=True)
                shutil.copy2(original.program(name), root / "bin" / name)
            shutil.copytree(
                original.root / "lib" / "postgresql", root / "lib" / "postgresql", ignore=shutil.ignore_patterns("pgxs", "bitcode")
            )
            shutil.copytree(original.root / "share", root / "share")
            if original.libraries:
                shutil.copytree(original.libraries, target / original.libraries.name)

        folder = self._copied("postgres", original.program("postgres"), copy)
        return replace(original, root=folder / "package" / original.root.name)

    def _copied(self, name: str, original: Path, copy: Callable[[Path], object]) -> Path:
        facts = original.stat()
        stamp = hashlib.sha256(f"{original}:{facts.st_size}:{facts.st_mtime_ns}".encode()).hexdigest()[:12]
        programs = self.path / "programs"
        target = programs / f"{name}-{stamp}"
        if not target.exists():
            programs.mkdir(mode=0o755, exist_ok=True)
            unfinished = programs / f".{name}.new"
            for old in (unfinished, *programs.glob(f"{name}-*")):
                shutil.rmtree(old, ignore_errors=True)
            unfinished.mkdir(mode=0o755)
            copy(unfinished)
            _open_to_readers(unfinished)
            unfinished.rename(target)
        return target


def _open_to_readers(folder: Path) -> None:
    # Root's umask may be 077; these are public programs, and their folder's parent is closed to others anyway.
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def home_for(state: State) -> ServerHome:
    """The servers' folder of this state, made when it is not there. Call it with the state's lock held."""
    recorded = state.settings().get("servers")
    if os.getuid() != 0:
        path = state.path / "servers"
        if recorded and recorded != str(path) and Path(str(recorded)).exists():
            raise RunError(f"The hub in {state.path} was started by root before. Run it as root again, or choose another HUB_STATE_DIR.")
        path.mkdir(mode=0o700, exist_ok=True)
        state.save(servers=str(path))
        return ServerHome(path, None, state.mark)
    path = Path(str(recorded)) if recorded else _roots_folder(state)
    _claim(path, state)
    state.save(servers=str(path))
    facts = path.stat()
    return ServerHome(path, Owner(facts.st_uid, facts.st_gid), state.mark)


def recorded_home(state: State) -> Path | None:
    recorded = state.settings().get("servers")
    return Path(str(recorded)) if recorded else None


def _roots_folder(state: State) -> Path:
    name = "hub-" + hashlib.sha256(str(state.path).encode()).hexdigest()[:12]
    for parent in ROOTS_FOLDERS:
        # 0o5: others may list and enter it, else `nobody` could not reach what we put there.
        if os.access(parent, os.W_OK) and os.stat(parent).st_mode & 0o5 == 0o5:
            return Path(parent) / name
    raise RunError(f"No folder for the servers' data: one of {', '.join(ROOTS_FOLDERS)} must be writable.")


def _claim(path: Path, state: State) -> None:
    """Make the folder, or make sure that the one there is this state's."""
    marker = path / "owner.json"
    if path.exists():
        owner = read_json(marker)
        if owner.get("mark") != state.mark:
            # Our name, another mark: the state folder was deleted by hand and with it the passwords to this data.
            end_servers_in(path)
            shutil.rmtree(path)
        elif owner.get("state") != str(state.path) and read_json(Path(str(owner.get("state"))) / "state.json").get("mark") == state.mark:
            raise RunError(
                f"{state.path} is a copy of {owner.get('state')}, and both would use the same data. Run `make reset` in the copy."
            )
    if not path.exists():
        path.mkdir(mode=0o700)
        try:
            nobody = pwd.getpwnam(UNPRIVILEGED)
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        except KeyError:
            os.chown(path, 65534, 65534)
    write_json(marker, {"mark": state.mark, "state": str(state.path)})


def end_servers_in(path: Path) -> None:
    processes.end(processes.standing_in(path / "postgres", "postgres"), first=signal.SIGQUIT)
    processes.end(processes.standing_in(path / "valkey", "valkey-server"))


def remove_home(state: State) -> None:
    """Remove a servers' folder that lies outside the state folder, if it is this state's."""
    path = recorded_home(state)
    if path and path.exists() and path.parent != state.path and read_json(path / "owner.json").get("mark") == state.mark:
        shutil.rmtree(path)
