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
from engagement.webhooks import services as webhooks


@due.worker("engagement.approval_reminder")
def approval_reminder(work: DueWork) -> datetime | None:
    handlers.approval_remind(payment_id=UUID(work.data["payment_id"]), event_id=UUID(work.data["event_id"]))
    return None


@due.worker(webhooks.KIND)
def webhook_send(work: DueWork) -> datetime | None:
    return webhooks.delivery_try(delivery_id=UUID(work.data["delivery_id"]))


@shared_task(name="engagement.notices_forget")
def notices_forget(**_: Any) -> None:
    with scope(SYSTEM):
        services.notices_forget(now=clock.now())
        webhooks.deliveries_forget(now=clock.now())
