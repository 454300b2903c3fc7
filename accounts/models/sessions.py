"""Browser sessions: the key as a hash, the payload encrypted, so that a copy of the database signs nobody in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models.people import Person
from core import clock
from core.ids import uuid7


class Session(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=32, unique=True)
    payload = models.BinaryField()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="sessions")
    created_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["expires_at"], name="accounts_session_expires")]

    def __str__(self) -> str:
        return str(self.id)
