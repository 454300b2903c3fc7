"""Wake-ups after a commit. They may be lost: the sweeps of beat find everything a few seconds later."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from kombu.exceptions import OperationalError

from core import clock

# One try, and none for a while after a failure: a person must not wait for a broker that is away.
_PAUSE_SECONDS = 5.0
_silent_until = 0.0


def relay() -> None:
    _send("core.events_relay")


def due(queue: str = "") -> None:
    """`queue` names the worker that alone does this kind of work; empty: the default one."""
    if queue:
        _send("core.due_sweep", queue=queue)
    else:
        _send("core.due_sweep")


def _send(task: str, **where: Any) -> None:
    global _silent_until
    # Whoever moved its clock does the work of that moment itself.
    if not settings.CELERY_BROKER_URL or clock.is_moved() or time.monotonic() < _silent_until:
        return
    from core import tasks

    try:
        tasks.BY_NAME[task].apply_async(kwargs=where, expires=10, retry=False, ignore_result=True, **where)
    except (OperationalError, OSError):
        _silent_until = time.monotonic() + _PAUSE_SECONDS
