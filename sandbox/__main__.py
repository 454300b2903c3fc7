"""`python -m sandbox`: one process that serves until it is told to stop."""

import signal
import sys
import threading

from sandbox.config import ConfigError, config_read
from sandbox.inbox.smtp import smtp_make
from sandbox.server import server_make
from sandbox.web import app_make
from sandbox.worker import Worker
from sandbox.world import world_make


def main() -> int:
    try:
        config = config_read()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    world = world_make(config)
    app = app_make(config)
    try:
        server = server_make(app, bind=config.bind, port=config.port, stopping=world.stopping)
        smtp = smtp_make(world)
        smtp.start()
    except (OSError, TimeoutError) as error:
        sys.stderr.write(f"The sandbox cannot listen: {error}\n")
        return 1
    worker = Worker(world)
    worker.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: world.stopping.set())
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    sys.stderr.write(f"Sandbox: {config.public_url} (mail on port {config.smtp_port})\n")
    world.stopping.wait()
    server.shutdown()
    worker.stop()
    smtp.stop()
    world.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
