"""
The spine's tables: clock, keys, rates, events and their deliveries, due work, idempotency keys and the audit log.

They carry ids and codes only; what a person wrote is in an encrypted column of the table it belongs to.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from core import crypto, db
from core.ids import uuid7


class Clock(models.Model):
    """One row: how far the hub's time is moved from real time (development only)."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    offset_microseconds = models.BigIntegerField(default=0)

    class Meta:
        db_table = "core_clock"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="core_clock_one_row")]


class DataKey(models.Model):
    """A party's data key, wrapped by a master key; `wrapped` is NULL once the party is erased."""

    owner_id = models.UUIDField(primary_key=True)
    master_id = models.CharField(max_length=32)
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "core_data_key"


class Rate(models.Model):
    """What one euro costs in `currency` on a day, as the European Central Bank published it."""

    currency = models.CharField(max_length=3)
    on_date = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10)

    class Meta:
        db_table = "core_rate"
        constraints = [
            models.UniqueConstraint(fields=["currency", "on_date"], name="core_rate_once_a_day"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="core_rate_positive"),
        ]


class Event(models.Model):
    """A fact, written in the transaction that made it true (the outbox)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    party_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    fanned_out = models.BooleanField(default=False)

    class Meta:
        db_table = "core_event"
        indexes = [
            models.Index(fields=["id"], name="core_event_to_fan_out", condition=Q(fanned_out=False)),
            models.Index(fields=["name", "id"], name="core_event_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Delivery(models.Model):
    """One handler's share of one event; done exactly once, in the transaction of the handler's own effect."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        DEAD = "dead"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    handler = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "core_delivery"
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["event", "handler"], name="core_delivery_once_a_handler")]
        indexes = [
            models.Index(fields=["next_at", "id"], name="core_delivery_waiting", condition=Q(state="waiting")),
            models.Index(fields=["id"], name="core_delivery_dead", condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.handler} of {self.event_id}"


class DueWork(models.Model):
    """Work for a later time, done at least once under a lease; `run_key` says which piece of work it is."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        DEAD = "dead"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=80)
    run_key = models.CharField(max_length=200)
    data = models.JSONField(default=dict)
    # What may not be read in the table (a mail's text): opened by core.crypto under SYSTEM_OWNER.
    secret = crypto.EncryptedTextField(owner=None)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "core_due_work"
        verbose_name_plural = "due work"
        constraints = [models.UniqueConstraint(fields=["kind", "run_key"], name="core_due_work_once")]
        indexes = [
            # By kind first: thousands of bills that are due must not stand between a sweep and a mail.
            models.Index(fields=["kind", "due_at", "id"], name="core_due_work_by_kind", condition=Q(state="waiting")),
            models.Index(fields=["id"], name="core_due_work_dead", condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.run_key}"


class IdempotencyKey(models.Model):
    """A client's key for one write, with the hash of what it asked and the answer it got."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.CharField(max_length=120)
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    answer = crypto.EncryptedTextField(owner=None)
    locked_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "core_idempotency_key"
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="core_idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="core_idempotency_key_age")]


class AuditEntry(models.Model):
    """Who did what to whom, when and from where. Append-only; ids and codes only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    action = models.CharField(max_length=80)
    actor_id = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=12, default="person")
    party_id = models.UUIDField(null=True)
    object_type = models.CharField(max_length=60, default="")
    object_id = models.CharField(max_length=64, default="")
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        db_table = db.append_only("core_audit_entry")
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["party_id", "-id"], name="core_audit_by_party"),
            models.Index(fields=["actor_id", "-id"], name="core_audit_by_actor"),
            models.Index(fields=["object_type", "object_id"], name="core_audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.id}"
