"""Every handle a party ever had."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models.people import Party
from core import clock
from core.ids import uuid7


class HandleClaim(models.Model):
    """
    A handle stays with the party that first took it, also after it chose another one.

    Somebody who remembers the old handle would otherwise pay a stranger.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="handle_claims")
    handle_index = models.BinaryField(max_length=32)
    claimed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["handle_index"], name="accounts_handle_claimed_once"),
        ]

    def __str__(self) -> str:
        return str(self.id)
