"""What the spine forgets: delivered events, done work, old keys and expired sessions."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from django.conf import settings

from core import clock
from core.db import SYSTEM, scope
from core.idempotency import KEPT_FOR
from core.models import Delivery, DueWork, IdempotencyKey

DONE_KEPT_FOR = timedelta(days=90)
_BATCH = 5000


def run() -> dict[str, int]:
    """Delete in batches; returns how many rows of each kind went. Events stay: they are the hub's history."""
    now = clock.now()
    with scope(SYSTEM):
        return {
            "sessions": import_module(settings.SESSION_ENGINE).SessionStore.clear_expired(),
            "idempotency_keys": IdempotencyKey.objects.filter(
                id__in=IdempotencyKey.objects.filter(created_at__lt=clock.real() - KEPT_FOR).values("id")[:_BATCH]
            ).delete()[0],
            "due_work": DueWork.objects.filter(
                id__in=DueWork.objects.filter(
                    state__in=[DueWork.State.DONE, DueWork.State.CANCELLED], created_at__lt=now - DONE_KEPT_FOR
                ).values("id")[:_BATCH]
            ).delete()[0],
            "deliveries": Delivery.objects.filter(
                id__in=Delivery.objects.filter(state=Delivery.State.DONE, done_at__lt=now - DONE_KEPT_FOR).values("id")[:_BATCH]
            ).delete()[0],
        }
