"""`python -m bench.bills_worker`: what a Celery worker does for bills, over and over until it is told to stop."""

from __future__ import annotations

import os
import signal
import threading


def main() -> None:
    os.environ.setdefault("HUB_ENV", "test")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    import django

    django.setup()
    from core import due
    from payments.bills.services.runs import KIND

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.is_set():
        if not due.sweep(kinds=[KIND], limit=100):
            stop.wait(0.2)


if __name__ == "__main__":
    main()
