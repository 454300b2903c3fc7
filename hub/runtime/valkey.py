"""The embedded Valkey: wake-ups and caches only, so nothing of it is kept on disk."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from hub.runtime.programs import Program
from hub.runtime.servers import ServerHome


def program(home: ServerHome, port: int, password: str, log: Path) -> Program:
    folder = home.make_folder(home.valkey_folder)
    # Read from standard input, so that the password is neither in the process list nor in a path that needs quoting.
    configuration = folder / "valkey.conf"
    handle = os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_configuration(port, password))
    return Program(
        name="valkey",
        command=(str(home.valkey()), "-"),
        environment=home.environment(),
        folder=folder,
        log=log,
        owner=home.owner,
        input=configuration,
        stop_seconds=5,
        phase=0,
    )


def _configuration(port: int, password: str) -> str:
    # volatile-lru: only entries with an expiry may be pushed out, never a queue.
    return f"""\
bind 127.0.0.1
port {port}
requirepass {password}
save ""
appendonly no
maxmemory 64mb
maxmemory-policy volatile-lru
daemonize no
"""


def is_ready(port: int, password: str) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.settimeout(1)
        connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < 2:
            part = connection.recv(200)
            if not part:
                return False
            answer += part
        return answer == b"+OK\r\n+PONG\r\n"
    return False


def url(password: str, port: int) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"
