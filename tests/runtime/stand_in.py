"""
`python -m tests.runtime.stand_in run`: the real run with real servers, and small programs in place of Django's.

STAND_IN_FAILS names a step that fails: migrate or demo_load.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

from hub.runtime import __main__, bootstrap
from hub.runtime.programs import Program
from hub.runtime.state import State

ANSWER = """
import http.server, os, socket, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")
"""
WEB = f"""{ANSWER}
server = http.server.HTTPServer(("127.0.0.1", 0), Answer, bind_and_activate=False)
server.socket = socket.socket(fileno=int(sys.argv[1]))
server.serve_forever()
"""
SANDBOX = f"""{ANSWER}
http.server.HTTPServer(("127.0.0.1", int(os.environ["SANDBOX_PORT"])), Answer).serve_forever()
"""
WORKER = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"


def _hub_programs(state: State, common: Mapping[str, str], sockets: tuple[int, ...]) -> list[Program]:
    web, worker, *_ = _real_programs(state, common, sockets)
    return [
        replace(web, command=(sys.executable, "-c", WEB, str(sockets[0]))),
        replace(worker, command=(sys.executable, "-c", WORKER)),
    ]


def _sandbox_program(state: State, inherited: Mapping[str, str], hub: Mapping[str, str]) -> Program:
    return replace(_real_sandbox(state, inherited, hub), command=(sys.executable, "-c", SANDBOX))


PREPARE = """
import json, os, sys
fails = os.environ.get("STAND_IN_FAILS")
if fails == "migrate":
    sys.exit("no such table")
print(json.dumps({"migrated": True}), flush=True)
if fails == "demo_load":
    print("no such person", file=sys.stderr)
people = [{"email": "asa@example.com", "password": "a demo password"}]
print(json.dumps({"demo": {"people": people}, "demo_loaded": fails != "demo_load"}), flush=True)
"""

_real_programs, _real_sandbox = bootstrap.hub_programs, bootstrap.sandbox_program
bootstrap.hub_programs, bootstrap.sandbox_program = _hub_programs, _sandbox_program
bootstrap.Preparation.command = (sys.executable, "-c", PREPARE)

if __name__ == "__main__":
    sys.exit(__main__.main(sys.argv[1:]))
