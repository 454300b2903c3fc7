"""The HTTP server: Django's threaded one, with limits on what a stranger may send, and able to fall silent on purpose."""

import logging
import socket
import threading
from collections.abc import Iterable
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ServerHandler, ThreadedWSGIServer, WSGIRequestHandler
from django.http import HttpResponse

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 1_000_000
# A connection that says nothing for so long is closed.
IDLE_SECONDS = 75
_HANDLER_KEY = "sandbox.request_handler"


class Silence(HttpResponse):
    """The answer that never comes: the connection stays open for `seconds` and is then cut."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class FallsSilent:
    """WSGI wrapper that carries out a `Silence`."""

    def __init__(self, app: WSGIHandler, stopping: threading.Event) -> None:
        self._app = app
        self._stopping = stopping

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response: Any = self._app(environ, start_response)
        if isinstance(response, Silence):
            response.close()
            self._stopping.wait(response.seconds)
            environ[_HANDLER_KEY].close_connection = True
            # wsgiref takes this as the client's leaving and writes nothing.
            raise ConnectionAbortedError
        return response  # type: ignore[no-any-return]


class RequestHandler(WSGIRequestHandler):
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        try:
            super().handle()
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if len(self.raw_requestline) > 65536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
            return
        if not self.parse_request() or not self._body_allowed():
            return
        environ: WSGIEnvironment = self.get_environ()
        environ[_HANDLER_KEY] = self
        handler = ServerHandler(self.rfile, self.wfile, self.get_stderr(), environ)
        # Django's handler closes the connection through this; its stub does not know.
        handler.request_handler = self  # type: ignore[attr-defined]
        handler.run(cast(Any, self.server).get_app())

    def _body_allowed(self) -> bool:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            self.send_error(411)
        elif not (length.isascii() and length.isdigit()):
            self.send_error(400)
        elif len(length) > 12 or int(length) > BODY_BYTES_MAX:
            self.send_error(413)
        else:
            return True
        self.close_connection = True
        return False

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: addresses carry session ids."""


class Server(ThreadedWSGIServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.exception("request failed")


def server_make(app: WSGIHandler, *, bind: str, port: int, stopping: threading.Event) -> Server:
    server = Server((bind, port), RequestHandler, ipv6=":" in bind)
    server.set_app(FallsSilent(app, stopping))
    # Small answers at once: Nagle and delayed ACK together cost 40 ms.
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server
