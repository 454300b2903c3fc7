"""The embedded PostgreSQL and Valkey for real, under a path with a space."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from hub.runtime import bootstrap, environment, ports, postgres, processes, reset, servers, valkey
from hub.runtime.errors import RunError
from hub.runtime.state import State
from hub.runtime.supervise import Supervisor
from tests.runtime.conftest import eventually


class Running:
    """Both servers under a supervisor, as in a hub."""

    def __init__(self, state: State, environ: dict[str, str]) -> None:
        self.state = state
        self.supervisor = Supervisor(state, lambda _: None)
        self.servers = bootstrap.Servers(state, environ)
        self.created = self.servers.add_to(self.supervisor)
        self.thread = threading.Thread(target=self.supervisor.run)
        self.thread.start()
        self.urls = environment.connections(state, environ)
        bootstrap.wait_until(self.servers.ready, self.supervisor, seconds=30, what="servers")

    def pid(self, name: str) -> int:
        return next((int(item["pid"]) for item in self.state.run_record()["processes"] if item["name"] == name), 0)

    def stop(self) -> None:
        self.supervisor.request_stop()
        self.thread.join()
        self.supervisor.stop_all()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    environ = {"HUB_STATE_DIR": str(tmp_path_factory.mktemp("the servers") / "st ate"), "PATH": os.defpath}
    state = State.chosen(environ)
    state.create()
    found = Running(state, environ)
    yield found
    found.stop()
    home = servers.recorded_home(state)
    reset.reset(environ)
    assert not state.path.exists()
    assert home
    assert not home.exists()


def ask(url: str, question: str) -> object:
    connection = psycopg2.connect(url, connect_timeout=5)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


class TestPostgres:
    def test_is_new_and_durable(self, running: Running) -> None:
        assert running.created
        assert ask(running.urls["DATABASE_URL"], "SHOW fsync") == "on"
        assert ask(running.urls["DATABASE_URL"], "SHOW synchronous_commit") == "on"
        assert ask(running.urls["DATABASE_URL"], "SELECT current_setting('max_connections')::int") == 150

    def test_knows_letters_beyond_english(self, running: Running) -> None:
        assert ask(running.urls["DATABASE_URL"], "SELECT lower('ÅSA')") == "åsa"

    def test_the_two_roles_may_what_they_should(self, running: Running) -> None:
        owner, app = running.urls["DATABASE_OWNER_URL"], running.urls["DATABASE_URL"]
        assert ask(owner, "SELECT rolcreatedb AND NOT rolsuper AND NOT rolcreaterole FROM pg_roles WHERE rolname = current_user") is True
        assert ask(app, "SELECT rolcreatedb OR rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user") is False
        ask(owner, "CREATE TABLE owned (id int)")
        for forbidden in ("CREATE TABLE mine (id int)", "SELECT * FROM owned", "DROP TABLE owned"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                ask(app, forbidden)

    def test_refuses_a_wrong_password_and_the_superuser(self, running: Running) -> None:
        port = running.servers.ports["postgres"]
        for role in (postgres.APP_ROLE, postgres.OWNER_ROLE, postgres.SUPERUSER):
            with pytest.raises(psycopg2.OperationalError):
                ask(postgres.url(role, "wrong", port), "SELECT 1")

    def test_listens_on_this_machine_only_and_on_no_file(self, running: Running) -> None:
        assert ask(running.urls["DATABASE_URL"], "SHOW listen_addresses") == "127.0.0.1"
        assert running.servers.home
        # The fifth line of its pid file is the folder of its sockets.
        assert running.servers.home.postgres_data.joinpath("postmaster.pid").read_text().splitlines()[4] == ""

    def test_its_data_is_private(self, running: Running) -> None:
        assert running.servers.home
        assert stat.S_IMODE(running.servers.home.postgres_data.stat().st_mode) == 0o700

    @pytest.mark.skipif(os.getuid() != 0, reason="only root has to step down")
    def test_root_runs_it_as_nobody_outside_the_closed_folder(self, running: Running) -> None:
        assert os.stat(f"/proc/{running.pid('postgres')}").st_uid != 0
        assert os.stat(f"/proc/{running.pid('valkey')}").st_uid != 0
        home = servers.recorded_home(running.state)
        assert home is not None
        assert not home.is_relative_to(running.state.path)

    def test_a_killed_postmaster_with_busy_clients_is_back_and_lost_nothing(self, running: Running) -> None:
        owner = running.urls["DATABASE_OWNER_URL"]
        ask(owner, "CREATE TABLE kept AS SELECT 42 AS answer")
        busy = psycopg2.connect(running.urls["DATABASE_URL"])
        sleeping = threading.Thread(target=_sleep_in, args=(busy,))
        sleeping.start()
        first = running.pid("postgres")
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: running.pid("postgres") not in (0, first)) < 2
        eventually(running.servers.ready, 15)
        assert ask(owner, "SELECT answer FROM kept") == 42
        sleeping.join(10)
        assert not sleeping.is_alive()

    def test_a_killed_child_does_not_end_it_for_good(self, running: Running) -> None:
        backend = psycopg2.connect(running.urls["DATABASE_URL"])
        os.kill(backend.get_backend_pid(), signal.SIGKILL)
        eventually(lambda: _answers(running.urls["DATABASE_URL"]), 15)
        backend.close()

    def test_a_stale_pid_file_with_a_strangers_pid_does_not_stop_a_start(self, running: Running) -> None:
        home = running.servers.home
        assert home
        first = running.pid("postgres")
        pid_file = home.postgres_data / "postmaster.pid"
        text = pid_file.read_text()
        os.kill(first, signal.SIGSTOP)  # a moment to forge the file before the supervisor looks
        pid_file.write_text(text.replace(str(first), str(os.getpid()), 1))
        os.kill(first, signal.SIGKILL)
        eventually(lambda: running.pid("postgres") not in (0, first), 5)
        eventually(lambda: _answers(running.urls["DATABASE_URL"]), 15)

    def test_its_log_holds_no_values(self, running: Running) -> None:
        with pytest.raises(psycopg2.Error):
            ask(running.urls["DATABASE_OWNER_URL"], "SELECT 'SE4550000000058398257466'::int")
        with pytest.raises(psycopg2.Error):
            ask(running.urls["DATABASE_OWNER_URL"], "CREATE TABLE uni (name text UNIQUE); INSERT INTO uni VALUES ('Åsa Ek'), ('Åsa Ek')")
        log = running.state.log("postgres").read_text()
        assert "Åsa" not in log
        assert "INSERT" not in log


def _sleep_in(connection: psycopg2.extensions.connection) -> None:
    with connection.cursor() as cursor, pytest.raises(psycopg2.OperationalError):
        cursor.execute("SELECT pg_sleep(60)")


def _answers(url: str) -> bool:
    try:
        return ask(url, "SELECT 1") == 1
    except psycopg2.OperationalError:
        return False


class TestValkey:
    def test_asks_for_its_password_and_keeps_nothing_on_disk(self, running: Running) -> None:
        client = redis.Redis.from_url(running.urls["REDIS_URL"])
        assert client.ping()
        assert client.config_get("save")["save"] == ""
        assert client.config_get("appendonly")["appendonly"] == "no"
        client.close()
        assert not valkey.is_ready(running.servers.ports["valkey"], "wrong")

    def test_is_back_after_a_kill(self, running: Running) -> None:
        first = running.pid("valkey")
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: running.pid("valkey") not in (0, first)) < 2
        eventually(running.servers.ready)

    def test_its_password_is_not_in_the_process_list(self, running: Running) -> None:
        shown = Path(f"/proc/{running.pid('valkey')}/cmdline").read_bytes()
        assert running.state.secrets()["valkey"].encode() not in shown


class TestServers:
    def test_are_not_started_when_the_person_brings_their_own(self, state: State) -> None:
        given = {"DATABASE_URL": "postgres://a:b@db.example/hub", "REDIS_URL": "redis://r.example/0"}
        found = bootstrap.Servers(state, given)
        assert found.home is None
        assert found.ready()
        assert environment.connections(state, given)["DATABASE_OWNER_URL"] == given["DATABASE_URL"]

    def test_taken_ports_are_replaced_and_the_choice_is_kept(self, state: State) -> None:
        first = environment.choose_ports(state)
        assert environment.choose_ports(state) == first
        held = ports.listen(first["postgres"])
        second = environment.choose_ports(state)
        assert second["postgres"] != first["postgres"]
        assert second["valkey"] == first["valkey"]
        for found in held:
            found.close()

    def test_an_interrupted_first_start_is_done_again(self, state: State, environ: dict[str, str]) -> None:
        home = servers.home_for(state)
        half = home.path / "postgres.new"
        half.mkdir()
        half.joinpath("PG_VERSION").write_text("18")
        assert postgres.create(home, state.secrets(), state.log("postgres"))
        assert not half.exists()
        assert not postgres.create(home, state.secrets(), state.log("postgres"))

    @pytest.mark.skipif(os.getuid() != 0, reason="only root keeps data elsewhere")
    def test_a_state_folder_deleted_by_hand_takes_its_orphaned_data_along(self, state: State, environ: dict[str, str]) -> None:
        home = servers.home_for(state)
        home.postgres_data.mkdir()
        state.path.joinpath("state.json").unlink()
        state.create()
        again = servers.home_for(state)
        assert again.path == home.path
        assert not again.postgres_data.exists()

    @pytest.mark.skipif(os.getuid() != 0, reason="only root keeps data elsewhere")
    def test_a_copied_state_folder_does_not_share_the_originals_data(self, state: State, tmp_path: Path) -> None:
        servers.home_for(state)
        copy = State(tmp_path / "copy")
        copy.create()
        copy.path.joinpath("state.json").write_text(state.path.joinpath("state.json").read_text())
        with pytest.raises(RunError, match="is a copy of"):
            servers.home_for(copy)

    def test_data_of_another_postgresql_is_a_clear_error(self, state: State) -> None:
        home = servers.home_for(state)
        home.make_folder(home.postgres_data).joinpath("PG_VERSION").write_text("9.6")
        with pytest.raises(RunError, match="PostgreSQL 9"):
            home.postgres()


def test_no_server_of_ours_outlives_its_folder(running: Running) -> None:
    assert running.servers.home
    assert {found.pid for found in processes.standing_in(running.servers.home.postgres_data, "postgres")} >= {running.pid("postgres")}
