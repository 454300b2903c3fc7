"""Notices and what people chose about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from engagement.notifications.topics import Channel, Topic


class NoticeQuerySet(models.QuerySet["Notice"]):
    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at__isnull=True)

    def before(self, created_at: datetime, notice_id: Any) -> NoticeQuerySet:
        return self.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, id__lt=notice_id))


class Notice(models.Model):
    """
    One thing that a person was told about one of their parties.

    `kind` says what happened and `subject_id` what it happened to (a payment, a bill, a device ...); `data` holds further
    ids and codes. The words are made when it is shown, in the reader's language, so nothing personal is stored here.
    `source_id` is the event it came from: one event tells a person once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="notices", db_index=False)
    topic = models.CharField(_("topic"), max_length=16, choices=Topic)
    kind = models.CharField(_("kind"), max_length=40)
    subject_id = models.UUIDField(null=True)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)
    source_id = models.UUIDField()
    created_at = models.DateTimeField(_("created"))
    read_at = models.DateTimeField(_("read"), null=True)

    objects: ClassVar[models.Manager[Notice]] = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "source_id", "kind"], name="engagement_notice_once"),
            models.CheckConstraint(
                condition=Q(read_at__isnull=True) | Q(read_at__gte=models.F("created_at")), name="engagement_notice_read"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["person", "-created_at", "-id"], name="engagement_notice_list"),
            models.Index(fields=["person"], condition=Q(read_at__isnull=True), name="engagement_notice_unread"),
            models.Index(fields=["party"], name="engagement_notice_party"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Preference(models.Model):
    """What a person chose for a topic and a channel; without a row the channel is on."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="notice_preferences", db_index=False)
    topic = models.CharField(_("topic"), max_length=16, choices=Topic)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    wanted = models.BooleanField(_("wanted"))
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("choice about notices")
        verbose_name_plural = _("choices about notices")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "topic", "channel"], name="engagement_preference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.topic} {self.channel}"
