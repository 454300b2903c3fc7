"""Ticks of this app."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from oauth2_provider.models import clear_expired

from core.db import SYSTEM, scope


@shared_task(name="accounts.tokens_clear")
def tokens_clear(**_: Any) -> None:
    """Expired grants and tokens go; used refresh tokens stay as long as using them again has to be noticed."""
    with scope(SYSTEM):
        clear_expired()
