"""Wake-ups after a commit. They may be lost: the sweeps of beat find everything a few seconds later."""

from __future__ import annotations

from django.conf import settings
from kombu.exceptions import OperationalError

# One try of a quarter of a second: without a broker a person must not wait for it.
_PUBLISH = {"retry": False, "ignore_result": True}


def relay() -> None:
    _send("core.events_relay")


def due() -> None:
    _send("core.due_sweep")


def _send(task: str) -> None:
    if not settings.CELERY_BROKER_URL:
        return
    from core import tasks

    try:
        tasks.BY_NAME[task].apply_async(expires=10, **_PUBLISH)
    except (OperationalError, OSError):
        pass
