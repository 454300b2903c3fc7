"""TCP ports: which are free, and which one the person asked for."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Mapping

from hub.runtime.errors import RunError

DEFAULT_WEB_PORT = 8000
# Below the range from which the kernel takes ports for outgoing connections: a server's port taken from that range can be
# lent to somebody's connection while the server restarts, and a client that retries can even connect to itself.
QUIET_RANGE = (20000, 32000)


def listen(port: int) -> list[socket.socket]:
    """
    Listening sockets for localhost on this port, IPv4 and (where the machine has it) IPv6.

    Browsers try ::1 first for "localhost", so a stranger on [::1]:port would be met instead of us.

    :raises OSError: the port is taken (EADDRINUSE) or not allowed (EACCES).
    """
    sockets = [_listening(socket.AF_INET, ("127.0.0.1", port))]
    try:
        sockets.append(_listening(socket.AF_INET6, ("::1", port)))
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            sockets[0].close()
            raise
    return sockets


def _listening(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind(address)
        found.listen(256)
    except OSError:
        found.close()
        raise
    return found


def is_free(port: int) -> bool:
    try:
        for found in listen(port):
            found.close()
    except OSError:
        return False
    return True


def free_port(*, preferred: int | None = None, taken: set[int] | None = None) -> int:
    """`preferred` when nobody has it, else a random free port that is not in `taken`."""
    taken = taken or set()
    if preferred and preferred not in taken and is_free(preferred):
        return preferred
    for _ in range(500):
        port = random.randrange(*QUIET_RANGE)
        if port not in taken and is_free(port):
            return port
    raise RunError("No free TCP port was found on this machine.")


def web_sockets(environ: Mapping[str, str]) -> tuple[int, list[socket.socket]]:
    """The web port and its listening sockets: PORT when given (or an error), else 8000, else the next free one."""
    wanted = environ.get("PORT", "").strip()
    if wanted:
        return _asked_for(wanted)
    for port in range(DEFAULT_WEB_PORT, DEFAULT_WEB_PORT + 100):
        try:
            return port, listen(port)
        except OSError:
            continue
    port = free_port()
    return port, listen(port)


def _asked_for(wanted: str) -> tuple[int, list[socket.socket]]:
    if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= 65535):
        raise RunError(f"PORT must be a number from 1 to 65535, not {wanted!r}.")
    try:
        return int(wanted), listen(int(wanted))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RunError(
                f"Port {wanted} is already in use by another program. Choose another PORT, or leave it out for a free one."
            ) from None
        raise RunError(f"Port {wanted} cannot be used: {error.strerror}.") from None
