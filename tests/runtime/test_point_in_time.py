"""docs/operations.md, "Backup" and "Restore", step by step: roles, a base backup, the stream of changes, a moment in time."""

from __future__ import annotations

import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from hub.runtime import ports
from hub.runtime.binaries import postgres_versions
from hub.runtime.servers import ServerHome, home_for
from hub.runtime.state import State
from tests.runtime.conftest import PROJECT, eventually

PASSWORDS = {"HUB_OWNER_PASSWORD": "owner's", "HUB_APP_PASSWORD": "app's", "HUB_BACKUP_PASSWORD": "backup's"}
INITDB = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]


class Server:
    """A PostgreSQL as production has it: its own superuser, and changes that can be streamed."""

    def __init__(self, home: ServerHome, data: Path) -> None:
        self.home, self.data, self.port = home, data, ports.free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def program(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        owner = self.home.owner
        return subprocess.Popen(
            [str(self.home.postgres().program(name)), *arguments],
            cwd=self.home.path,
            env=dict(self.home.environment()),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=owner.uid if owner else None,
            group=owner.gid if owner else None,
            extra_groups=[] if owner else None,
        )

    def start(self) -> None:
        options = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "wal_level": "replica"}
        self.process = self.program(
            "postgres", "-D", str(self.data), *(part for item in options.items() for part in ("-c", "=".join(item)))
        )
        eventually(self.answers, 60)

    def answers(self) -> bool:
        try:
            return bool(self.ask("SELECT NOT pg_is_in_recovery()", database="postgres"))
        except psycopg2.OperationalError:
            return False

    def ask(self, sql: str, *, database: str = "hub", user: str = "postgres", password: str = "") -> list[tuple[object, ...]]:
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=user, password=password, dbname=database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def client(self) -> dict[str, str]:
        found = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "hub_backup", "PGPASSWORD": PASSWORDS["HUB_BACKUP_PASSWORD"]}
        return {**os.environ, **found}

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)


@pytest.fixture
def servers(state: State) -> Iterator[list[Server]]:
    found: list[Server] = []
    yield found
    for server in found:
        server.kill()


def tool(name: str) -> str:
    return str(postgres_versions()[0].program(name))


def run(environ: dict[str, str], *words: str) -> None:
    subprocess.run(words, env=environ, check=True, capture_output=True, timeout=120)


def test_back_to_a_moment(state: State, servers: list[Server], tmp_path: Path) -> None:
    home = home_for(state)
    server = Server(home, home.path / "production")
    servers.append(server)
    assert server.program("initdb", "-D", str(server.data), *INITDB).wait(120) == 0
    server.start()
    path = f"{Path(tool('psql')).parent}:{os.environ['PATH']}"
    init = {**os.environ, **PASSWORDS, "PATH": path, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGDATA": str(server.data)}
    run(init, "sh", str(PROJECT / "deploy/roles.sh"))
    server.ask("SELECT pg_reload_conf()", database="postgres")
    # The application reaches its database, and owns nothing.
    assert server.ask("SELECT has_schema_privilege('public', 'CREATE')", user="hub_app") == [(False,)]

    archive = tmp_path / "archive"
    archive.mkdir()
    receive = [tool("pg_receivewal"), "--directory", str(archive), "--slot", "hub_archive", "--no-password"]
    run(server.client(), *receive, "--create-slot", "--if-not-exists")
    stream = subprocess.Popen([*receive, "--synchronous"], env=server.client(), stderr=subprocess.DEVNULL)
    try:
        run(server.client(), tool("pg_basebackup"), "-D", str(archive / "base"), "--format=tar", "--gzip", "--checkpoint=fast")
        server.ask("CREATE TABLE fact (n int)")
        server.ask("INSERT INTO fact VALUES (1)")
        time.sleep(1)
        moment = server.ask("SELECT clock_timestamp()")[0][0]
        time.sleep(1)
        server.ask("INSERT INTO fact VALUES (2)")
        sent = "SELECT sent_lsn = pg_current_wal_lsn() FROM pg_stat_replication"
        eventually(lambda: server.ask(sent, database="postgres") == [(True,)], 30)
    finally:
        server.kill()
        stream.terminate()
        stream.wait(30)

    # All that is left is the archive.
    data = home.make_folder(home.path / "restored")
    for name, where in (("base", data), ("pg_wal", data / "pg_wal")):
        with tarfile.open(archive / "base" / f"{name}.tar.gz") as packed:
            packed.extractall(where, filter="data")
    wal = home.make_folder(home.path / "archive")
    for file in archive.glob("0*"):
        (wal / file.name.removesuffix(".partial")).write_bytes(file.read_bytes())
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"restore_command = 'cp \"{wal}/%f\" \"%p\"'\nrecovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n"
        )
    (data / "recovery.signal").touch()
    for found in (*data.rglob("*"), *wal.iterdir()):
        home.give(found)
        found.chmod(0o700 if found.is_dir() else 0o600)
    restored = Server(home, data)
    servers.append(restored)
    restored.start()
    assert restored.ask("SELECT n FROM fact") == [(1,)]
