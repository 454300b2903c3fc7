"""The Celery application: it carries wake-ups; the work itself is rows in PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import after_task_publish, beat_init, heartbeat_sent, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

app = Celery("hub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# In a container: touched whenever a worker or beat has reached the broker, and looked at by hub.probe.
if _heartbeat := os.environ.get("HUB_HEARTBEAT_FILE"):

    def _touch(**_: Any) -> None:
        Path(str(_heartbeat)).touch()

    for _signal in (worker_ready, heartbeat_sent, beat_init, after_task_publish):
        _signal.connect(_touch, weak=False)
