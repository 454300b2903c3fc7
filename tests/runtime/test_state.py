"""Ports, secrets and the state folder itself."""

from __future__ import annotations

import base64
import multiprocessing
import os
import socket
import stat
from pathlib import Path

import pytest

from hub.runtime import keys, ports, reset
from hub.runtime.errors import RunError
from hub.runtime.files import read_json, write_json
from hub.runtime.state import FolderLock, State


class TestSecrets:
    def test_are_made_once_and_kept(self, state: State) -> None:
        first = state.secrets()
        assert state.secrets() == first
        assert set(first) == set(keys.MAKERS)

    def test_are_private_files(self, state: State) -> None:
        state.secrets()
        for name in ("secrets.json", "state.json"):
            assert stat.S_IMODE(state.path.joinpath(name).stat().st_mode) == 0o600
        assert stat.S_IMODE(state.path.stat().st_mode) == 0o700

    def test_have_the_shapes_that_settings_read(self, state: State) -> None:
        found = state.secrets()
        number, _, key = found["master_keys"].partition(":")
        assert number == "1"
        assert len(base64.b64decode(key, validate=True)) == 32
        assert len(base64.b64decode(found["index_key"], validate=True)) == 32
        assert found["stripe_webhook_secret"].startswith("whsec_")

    def test_a_newer_version_adds_what_it_needs_and_keeps_the_rest(self, state: State) -> None:
        kept = state.secrets()
        write_json(state.path / "secrets.json", {name: value for name, value in kept.items() if name != "valkey"})
        found = state.secrets()
        assert found["valkey"] != kept["valkey"]
        assert {name: found[name] for name in kept if name != "valkey"} == {name: kept[name] for name in kept if name != "valkey"}


class TestState:
    def test_making_it_twice_keeps_the_mark(self, state: State) -> None:
        mark = state.mark
        state.create()
        assert state.mark == mark != ""

    def test_is_the_projects_own_folder_unless_named(self, tmp_path: Path) -> None:
        assert State.chosen({}).path.name == ".hub"
        assert State.chosen({"HUB_STATE_DIR": str(tmp_path)}).path == tmp_path

    def test_a_file_in_its_place_is_a_clear_error(self, tmp_path: Path) -> None:
        tmp_path.joinpath("file").touch()
        with pytest.raises(RunError, match="not a folder"):
            State(tmp_path / "file").create()

    def test_a_torn_file_reads_as_nothing(self, tmp_path: Path) -> None:
        tmp_path.joinpath("run.json").write_text('{"url": "http')
        assert read_json(tmp_path / "run.json") == {}


def _hold(path: str, ready: multiprocessing.synchronize.Event) -> None:
    lock = FolderLock(State(Path(path)))
    assert lock.take()
    ready.set()
    multiprocessing.Event().wait(60)


class TestLock:
    def test_is_for_one_process_and_goes_with_it(self, state: State) -> None:
        context = multiprocessing.get_context("spawn")
        ready = context.Event()
        holder = context.Process(target=_hold, args=(str(state.path), ready))
        holder.start()
        assert ready.wait(30)
        lock = FolderLock(state)
        assert not lock.take()
        holder.kill()
        assert lock.take(seconds=5)
        holder.join()
        lock.release()


class TestPorts:
    def test_a_taken_port_is_not_free_on_either_family(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            assert not ports.is_free(taken.getsockname()[1])

    def test_the_preferred_one_is_taken_when_free(self) -> None:
        free = ports.free_port()
        assert ports.free_port(preferred=free) == free
        assert ports.free_port(preferred=free, taken={free}) != free

    def test_an_asked_for_busy_port_is_a_clear_error(self) -> None:
        port = ports.free_port()
        sockets = ports.listen(port)
        with pytest.raises(RunError, match=f"Port {port} is already in use"):
            ports.web_sockets({"PORT": str(port)})
        for found in sockets:
            found.close()

    @pytest.mark.parametrize("wanted", ["eighty", "0", "-1", "65536", "80.5", "٨٠٠٠"])
    def test_nonsense_is_a_clear_error(self, wanted: str) -> None:
        with pytest.raises(RunError, match="PORT must be a number"):
            ports.web_sockets({"PORT": wanted})

    def test_without_a_wish_a_busy_default_gives_another_port(self, monkeypatch: pytest.MonkeyPatch) -> None:
        busy = ports.free_port()
        monkeypatch.setattr(ports, "DEFAULT_WEB_PORT", busy)
        held = ports.listen(busy)
        port, sockets = ports.web_sockets({})
        assert port != busy
        for found in held + sockets:
            found.close()


class TestReset:
    def test_leaves_what_is_not_the_hubs(self, environ: dict[str, str], state: State) -> None:
        state.secrets()
        mine = state.path / "holiday.jpg"
        mine.touch()
        assert reset.reset(environ) == 0
        assert os.listdir(state.path) == ["holiday.jpg"]
        mine.unlink()
        state.path.rmdir()

    def test_refuses_a_folder_that_never_was_a_hubs(self, tmp_path: Path) -> None:
        tmp_path.joinpath("logs").mkdir()
        with pytest.raises(RunError, match="not a hub's state folder"):
            reset.reset({"HUB_STATE_DIR": str(tmp_path)})
        assert tmp_path.joinpath("logs").exists()

    def test_nothing_there_is_no_error(self, tmp_path: Path) -> None:
        assert reset.reset({"HUB_STATE_DIR": str(tmp_path / "nothing")}) == 0
