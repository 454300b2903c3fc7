"""Wrap every party's data key by the current master key (the first of HUB_MASTER_KEYS), while the hub runs."""

from __future__ import annotations

from typing import Any

from core import audit, crypto
from core.db import SYSTEM, scope
from core.management.output import HubCommand
from core.models import DataKey


class Command(HubCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        with scope(SYSTEM):
            current, known = crypto.ring().current, list(crypto.ring().keys)
            wrapped = DataKey.objects.filter(wrapped__isnull=False)
            unknown = list(wrapped.exclude(master_id__in=known).order_by("master_id").values_list("master_id", flat=True).distinct())
            if unknown:
                self.fail(f"Master keys that still wrap data keys are missing from HUB_MASTER_KEYS: {', '.join(unknown)}", code=1)
            done = crypto.data_keys_rewrap()
            audit.record("core.keys.rotated", count=done, master=current)
            left = wrapped.exclude(master_id=current).count()
        self.say({"rewrapped": done, "current": current, "left": left}, as_json=options["json"])
