"""The browsers and programs a person has signed in from, so that a new one can be told of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models.people import Person
from core import clock
from core.crypto import EncryptedTextField
from core.ids import uuid7


class KnownDevice(models.Model):
    """
    One device of one person, recognised by a long-lived random cookie of which only the SHA-256 is kept.

    `agent` is what it calls itself (User-Agent), for the person to recognise it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="known_devices")
    token_hash = models.BinaryField(max_length=32)
    agent = EncryptedTextField(owner="person.party_id")
    first_seen_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "token_hash"], name="accounts_known_device_once"),
        ]

    def __str__(self) -> str:
        return str(self.id)
