"""The embedded PostgreSQL: made by initdb, two roles, TCP on 127.0.0.1 only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hub.runtime import processes
from hub.runtime.binaries import PostgresBinaries
from hub.runtime.errors import RunError
from hub.runtime.programs import Program
from hub.runtime.servers import ServerHome

DATABASE = "hub"
OWNER_ROLE = "hub_owner"
APP_ROLE = "hub_app"
SUPERUSER = "postgres"

# Small memory, few processes; durability stays on (fsync and synchronous_commit are not touched).
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "150",
    "shared_buffers": "96MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "autovacuum_max_workers": "2",
    "max_parallel_workers_per_gather": "0",
    "max_worker_processes": "2",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Logs hold no name, code or account number: no statement text, no values, no DETAIL lines with keys in them.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
# Since version 18 reads go through three helper processes of their own; one small hub does not need them.
SETTINGS_18: Mapping[str, str] = {"io_method": "sync"}

HBA = f"host all {OWNER_ROLE},{APP_ROLE} 127.0.0.1/32 scram-sha-256\n"


def create(home: ServerHome, secrets: Mapping[str, str], log: Path) -> bool:
    """
    Make the cluster, the roles and the empty database. False when they were there.

    All of it happens in a folder of another name: a kill in the middle leaves nothing that looks finished.
    """
    data = home.postgres_data
    if data.exists():
        return False
    unfinished = data.with_name("postgres.new")
    if unfinished.exists():
        processes.end(processes.standing_in(unfinished, "postgres"), first=signal.SIGQUIT)
        shutil.rmtree(unfinished)
    binaries = home.postgres()
    _run(home, log, binaries, "initdb", *_initdb_options(binaries), "-D", str(unfinished))
    _write(home, unfinished / "pg_hba.conf", HBA)
    _write(home, unfinished / "pg_ident.conf", "")
    # Single-user mode needs no password and opens no port, so the superuser never gets either.
    _run(home, log, binaries, "postgres", "--single", "-D", str(unfinished), "-c", "exit_on_error=on", "template1", text=_roles(secrets))
    unfinished.rename(data)
    return True


def _initdb_options(binaries: PostgresBinaries) -> list[str]:
    options = ["--encoding=UTF8", "--locale=C.UTF-8", f"--username={SUPERUSER}", "--auth=reject"]
    if binaries.major >= 17:
        # The same rules for every operating system, from PostgreSQL itself.
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _roles(secrets: Mapping[str, str]) -> str:
    # One command a line: that is how single-user mode reads.
    return (
        f"CREATE ROLE {OWNER_ROLE} LOGIN CREATEDB PASSWORD '{secrets['postgres_owner']}'\n"
        f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '{secrets['postgres_app']}'\n"
        f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}\n"
    )


def _write(home: ServerHome, path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    home.give(path)


def _run(home: ServerHome, log: Path, binaries: PostgresBinaries, name: str, *arguments: str, text: str = "") -> None:
    owner = home.owner
    with log.open("ab") as output:
        done = subprocess.run(
            [str(binaries.program(name)), *arguments],
            input=text.encode(),
            stdout=output,
            stderr=output,
            cwd=home.path,
            env=dict(home.environment()),
            user=owner.uid if owner else None,
            group=owner.gid if owner else None,
            extra_groups=[] if owner else None,
            umask=0o077,
            check=False,
            # A Ctrl-C at the terminal is for us to handle, not for initdb.
            start_new_session=True,
        )
    if done.returncode:
        raise RunError(f"PostgreSQL's {name} failed; see {log}.")


def program(home: ServerHome, port: int, log: Path, *, extra: Mapping[str, str] | None = None) -> Program:
    binaries = home.postgres()
    settings = {**SETTINGS, **(SETTINGS_18 if binaries.major >= 18 else {}), **(extra or {}), "port": str(port)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        command=(str(binaries.program("postgres")), "-D", str(home.postgres_data), *options),
        environment=home.environment(),
        folder=home.path,
        log=log,
        owner=home.owner,
        # SIGINT is PostgreSQL's "fast" stop: it ends its clients' sessions and writes everything out.
        stop_signal=signal.SIGINT,
        stop_seconds=30,
        phase=0,
        before_start=lambda: clear_leftovers(home),
    )


def clear_leftovers(home: ServerHome) -> None:
    """
    End what a killed postmaster left, then its pid file.

    Its children notice its death and leave, but not at once, and a new postmaster refuses to start beside them.
    Only when none is left may the pid file go: it is PostgreSQL's own guard against two servers on one folder.
    Without removing it, a stranger that got the old pid would keep PostgreSQL from starting.
    """
    data = home.postgres_data
    left = processes.standing_in(data, "postgres")
    processes.end(left, first=signal.SIGQUIT, seconds=2)
    pid_file = data / "postmaster.pid"
    if processes.PROC.joinpath("self/cwd").exists() and not processes.standing_in(data, "postgres"):
        pid_file.unlink(missing_ok=True)


def is_ready(home: ServerHome) -> bool:
    """Does the postmaster say that it takes connections? (Line 8 of its pid file is what pg_ctl waits for, too.)"""
    with suppress(OSError, IndexError, ValueError):
        lines = home.postgres_data.joinpath("postmaster.pid").read_text(encoding="utf-8").splitlines()
        os.kill(int(lines[0]), 0)
        return lines[7].strip() == "ready"
    return False


def url(role: str, password: str, port: int, database: str = DATABASE) -> str:
    return f"postgres://{role}:{password}@127.0.0.1:{port}/{database}"
