"""Ticks of this app."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from oauth2_provider.models import clear_expired

from accounts import services
from core import clock
from core.db import SYSTEM, scope


@shared_task(name="accounts.tokens_clear")
def tokens_clear(**_: Any) -> None:
    """Expired grants and tokens go; used refresh tokens stay as long as using them again has to be noticed."""
    with scope(SYSTEM):
        clear_expired()


@shared_task(name="accounts.sign_ups_forget")
def sign_ups_forget(**_: Any) -> None:
    """Sign-ups that nobody proved go after HUB_SIGN_UP_KEPT_DAYS."""
    with scope(SYSTEM):
        services.sign_ups_forget(now=clock.now())
