"""
One HTTP POST to an address that somebody else chose.

The name is resolved here, every address it has must be on the public internet, and the connection goes to the very address
that was checked: a name that changes between check and use (DNS rebinding) gains nothing. No redirects, no proxies from the
environment, one deadline over everything (a server that sends a byte a second meets it too), and the answer is not read beyond
a few kilobytes, nor kept.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from engagement.webhooks.errors import AddressForbidden

URL_MAX: Final = 500
RESOLVE_SECONDS: Final = 3.0
CONNECT_SECONDS: Final = 3.0
TOTAL_SECONDS: Final = 8.0
ANSWER_MAX: Final = 4096
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Set aside by IANA, and called global by some versions of Python: protocol assignments, 6to4 relays, documentation, NAT64 of one's own.
_SET_ASIDE = tuple(
    ipaddress.ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16", "64:ff9b:1::/48", "100::/64")
)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None when there was none; `error` is then a code."""

    status: int | None
    error: str
    took_ms: int

    @property
    def good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Target:
    """An address that passed: where to connect, and what to call it."""

    secure: bool
    host: str
    ips: tuple[str, ...]
    port: int
    path: str

    @property
    def authority(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


def url_check(url: str) -> SplitResult:
    """
    The shape of an address; nothing is asked of the network.

    :raises AddressForbidden: not https, with a password in it, or not an address at all.
    """
    if len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise AddressForbidden(why="shape")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise AddressForbidden(why="shape") from None
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not settings.HUB_ALLOW_PRIVATE_WEBHOOKS):
        raise AddressForbidden(why="scheme")
    if not host or parts.username is not None or parts.password is not None or parts.fragment or "%" in host:
        raise AddressForbidden(why="shape")
    # Low ports are other services' doors: mail, SSH, databases behind the same name.
    if port is not None and port not in (80, 443) and port < 1024:
        raise AddressForbidden(why="port")
    return parts


def target_of(url: str) -> Target:
    """
    Resolve and check. To be called right before connecting, every time.

    :raises AddressForbidden: some address behind the name is not on the public internet.
    :raises OSError: the name is not known at the moment.
    """
    parts = url_check(url)
    host, secure = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    found = _resolve(host, port)
    for ip in found:
        _allowed(ip, secure)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, tuple(dict.fromkeys(str(ip) for ip in found)), port, path)


def _allowed(ip: Address, secure: bool) -> None:
    if ip.is_loopback and settings.HUB_ALLOW_PRIVATE_WEBHOOKS:
        return
    if not secure or not is_public(ip):
        raise AddressForbidden(why="private")


def is_public(ip: Address) -> bool:
    """On the public internet, also when it is an IPv4 address in the clothes of an IPv6 one."""
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is None and (int(ip) >> 32) & 0xFDFFFFFF == 0x5EFE:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)  # ISATAP: a tunnel to an address inside a site
        if inner is not None:
            return is_public(inner)
        # fec0::/10 was private once, and old networks still route it. IPv4-compatible addresses have no use at all.
        if ip.is_site_local or int(ip) < 2**32:
            return False
    if any(ip in network for network in _SET_ASIDE):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


def _resolve(host: str, port: int) -> list[Address]:
    """In a thread of its own, because the system's resolver takes its time and knows no deadline."""
    answer: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put([ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows])
        except (OSError, UnicodeError, ValueError) as error:
            answer.put(error if isinstance(error, OSError) else OSError("not a name"))

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answer.get(timeout=RESOLVE_SECONDS)
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(found, OSError):
        raise found
    if not found:
        raise OSError("the name has no address")
    return found


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send, and say what came of it. Never raises for what the other side does."""
    started = time.monotonic()
    status, error = None, ""
    try:
        status = _send(target_of(url), body, headers, deadline=started + TOTAL_SECONDS)
    except AddressForbidden:
        error = "address_forbidden"
    except TimeoutError:
        error = "timeout"
    except (OSError, http.client.HTTPException, ValueError) as broken:
        # What the watchdog cut off ends as a broken connection, or as a broken handshake.
        cut_off = time.monotonic() - started >= TOTAL_SECONDS
        error = "timeout" if cut_off else "tls" if isinstance(broken, ssl.SSLError) else "connection"
    return Answer(status, error, int((time.monotonic() - started) * 1000))


def _send(target: Target, body: bytes, headers: dict[str, str], *, deadline: float) -> int:
    raw = _connect(target, deadline)
    # Time-outs of a socket start anew with every byte; this one does not. A second handle, because TLS takes the first over.
    handle = raw.dup()
    watchdog = threading.Timer(max(0.1, deadline - time.monotonic()), _cut, [handle])
    watchdog.daemon = True
    watchdog.start()
    wrapped: socket.socket = raw
    try:
        if target.secure:
            wrapped = _tls(raw, target.host)
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = wrapped
        connection.request("POST", target.path, body=body, headers={"Host": target.authority, "Connection": "close", **headers})
        response = connection.getresponse()
        with contextlib.suppress(OSError, http.client.HTTPException):
            response.read(ANSWER_MAX)
        return response.status
    finally:
        watchdog.cancel()
        _cut(handle)
        wrapped.close()
        raw.close()


def _connect(target: Target, deadline: float) -> socket.socket:
    """To the first of the checked addresses that answers."""
    failed: OSError = OSError("no address")
    for ip in target.ips[:4]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            found = socket.create_connection((ip, target.port), timeout=min(CONNECT_SECONDS, left))
        except OSError as error:
            failed = error
        else:
            found.settimeout(max(0.1, deadline - time.monotonic()))
            return found
    raise failed


def _tls(raw: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(raw, server_hostname=host)


def _cut(raw: socket.socket) -> None:
    # shutdown() also ends what another thread is waiting for on the same connection; close() alone does not.
    with contextlib.suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)
    raw.close()
