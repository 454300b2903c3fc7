"""Later work of this app."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from celery import shared_task

from core import clock, due
from core.db import SYSTEM, scope
from core.models import DueWork
from engagement.notifications import handlers, services


@due.worker("engagement.approval_reminder")
def approval_reminder(work: DueWork) -> datetime | None:
    handlers.approval_remind(payment_id=UUID(work.data["payment_id"]), event_id=UUID(work.data["event_id"]))
    return None


@shared_task(name="engagement.notices_forget")
def notices_forget(**_: Any) -> None:
    with scope(SYSTEM):
        services.notices_forget(now=clock.now())
