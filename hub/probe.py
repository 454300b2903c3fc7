"""
`python -m hub.probe web|sandbox|heartbeat SECONDS`: is the process of this container well? Exit code 0 or 1.

Loads nothing of Django: a container is asked every few seconds. A worker and beat touch a file whenever they talk to the
broker (hub/celery.py); while Redis is away they count as unhealthy, and go on by themselves when it is back.
"""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from urllib.parse import urlsplit

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str, host: str) -> bool:
    # Under the public name, as the proxy sends it: no other is let in.
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310 (our own address)
    try:
        with DIRECT.open(request, timeout=4) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def beats(path: str, seconds: float) -> bool:
    try:
        return time.time() - os.stat(path).st_mtime <= seconds
    except OSError:
        return False


def main(words: list[str]) -> int:
    what, *more = words or [""]
    if what == "web":
        well = answers("http://127.0.0.1:8000/readyz", urlsplit(os.environ.get("HUB_PUBLIC_URL", "")).netloc)
    elif what == "sandbox":
        well = answers("http://127.0.0.1:9009/healthz", "")
    elif what == "heartbeat":
        well = beats(os.environ.get("HUB_HEARTBEAT_FILE", ""), float(more[0]))
    else:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
