"""A partner's server on this machine: answers as a test wants, slowly or never if it wants that."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """`plan` holds what to do with the next calls: a status, "hang", "drip", "redirect" or "flood"; then 200."""

    port: int = 0
    plan: list[Any] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/hooks?token=secret"


@contextlib.contextmanager
def running() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            what = receiver.plan.pop(0) if receiver.plan else 200
            with contextlib.suppress(OSError):
                self.answer(what)

        def answer(self, what: Any) -> None:
            if what == "hang":
                receiver.stop.wait(30)
            elif what == "drip":
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 500:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    if receiver.stop.wait(0.1):
                        return
            elif what == "redirect":
                self.send_response(302)
                self.send_header("Location", receiver.url)
                self.end_headers()
            elif what == "flood":
                self.send_response(200)
                self.end_headers()
                until = time.monotonic() + 20
                while time.monotonic() < until and not receiver.stop.is_set():
                    self.wfile.write(b"x" * 65536)
            else:
                self.send_response(what)
                self.end_headers()
                self.wfile.write(b"ok")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stop.set()
        server.shutdown()
        server.server_close()
