"""A person's word for one exact action."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from accounts.models.people import Person
from core import clock
from core.ids import uuid7

LIFETIME = timedelta(minutes=5)
TRIES_MAX = 5


def _nonce() -> bytes:
    return secrets.token_bytes(16)


class Approval(models.Model):
    class State(models.TextChoices):
        PENDING = "pending"
        CONFIRMED = "confirmed"
        TAKEN = "taken"
        VOID = "void"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="approvals")
    # Ids and codes only: the canonical action is shown to the person and hashed, never parsed from what comes back.
    action = models.JSONField()
    action_hash = models.BinaryField(max_length=32)
    nonce = models.BinaryField(max_length=16, default=_nonce)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    next_path = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(expires_at__gt=models.F("created_at")), name="accounts_approval_expires"),
            models.CheckConstraint(
                condition=models.Q(state="taken", taken_at__isnull=False) | (~models.Q(state="taken") & models.Q(taken_at__isnull=True)),
                name="accounts_approval_taken_has_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["person", "created_at"], name="accounts_approval_recent")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def kind(self) -> str:
        return str(self.action["kind"])

    def has_expired(self, now: datetime) -> bool:
        return now >= self.expires_at
