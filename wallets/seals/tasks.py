"""The tick that seals what is new."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from core import clock
from core.db import SYSTEM, scope
from wallets.seals import services


@shared_task(name="wallets.seal")
def seal(**_: Any) -> None:
    with scope(SYSTEM):
        services.seal(now=clock.now())
