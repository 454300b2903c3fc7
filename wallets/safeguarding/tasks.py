"""The tick that makes the day's report."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from core import clock
from core.db import SYSTEM, scope
from wallets.safeguarding import services


@shared_task(name="wallets.safeguarding_report")
def safeguarding_report(**_: Any) -> None:
    with scope(SYSTEM):
        services.report_make(now=clock.now())
