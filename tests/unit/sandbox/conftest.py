from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sandbox import outside


@pytest.fixture(scope="session")
def _receiver() -> Iterator[outside.Receiver]:
    with outside.receiver_running(outside.free_port()) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def _sandbox(_receiver: outside.Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[outside.Sandbox]:
    sandbox = outside.Sandbox(tmp_path_factory.mktemp("sandbox"), _receiver.url)
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(_sandbox: outside.Sandbox) -> outside.Sandbox:
    """The running sandbox, with nothing in it."""
    _sandbox.control("reset")
    return _sandbox


@pytest.fixture
def receiver(sandbox: outside.Sandbox, _receiver: outside.Receiver) -> outside.Receiver:
    """Where the sandbox sends its webhooks, with nothing received yet."""
    _receiver.received.clear()
    _receiver.answers.clear()
    return _receiver


@pytest.fixture
def own_sandbox(_receiver: outside.Receiver, tmp_path: Path) -> Iterator[outside.Sandbox]:
    """A sandbox of the test's own, to be killed and started again."""
    sandbox = outside.Sandbox(tmp_path / "state", _receiver.url)
    sandbox.start()
    yield sandbox
    sandbox.stop()
