"""Where partners want to hear of things, with what secrets, and what was sent there."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedTextField
from core.ids import uuid7


class WebhookEndpoint(models.Model):
    """
    An address of a partner's program. `events` lists the event types it wants; empty means all.

    `failing_since` is set by the first failure after a success; while `rest_until` lies ahead nothing is tried, so that an
    address that answers slowly or never costs one time-out and not one for each message.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        DISABLED = "disabled", _("Switched off")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(
        "accounts.PartnerApplication", on_delete=models.PROTECT, related_name="webhook_endpoints", verbose_name=_("partner")
    )
    # Addresses often carry a secret of the receiver's.
    url = EncryptedTextField(owner="application.party_id", verbose_name=_("address"))
    events: models.JSONField[list[str], list[str]] = models.JSONField(_("event types"), default=list, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ACTIVE)
    disabled_reason = models.CharField(_("why"), max_length=16, blank=True, default="")
    failing_since = models.DateTimeField(_("failing since"), null=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    rest_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created"))
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state="active", disabled_reason="") | Q(state="disabled"), name="engagement_endpoint_reason"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def party_id(self) -> UUID:
        owner: UUID = self.application.party_id
        return owner

    def wants(self, event_type: str) -> bool:
        return not self.events or event_type in self.events


class WebhookSecret(models.Model):
    """A signing secret, from `active_from` up to, and not including, `active_to`. At most two hold at once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    secret = EncryptedTextField(owner="endpoint.application.party_id")
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["endpoint"], condition=Q(active_to__isnull=True), name="engagement_secret_one_open"),
            models.CheckConstraint(
                condition=Q(active_to__isnull=True) | Q(active_to__gte=F("active_from")), name="engagement_secret_period"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class WebhookDelivery(models.Model):
    """One message to one endpoint; its id is the message's id, the same for every try. The payload holds ids and states only."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Given up")
        DROPPED = "dropped", _("Not sent")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    source_id = models.UUIDField()
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, null=True, related_name="+")
    event_type = models.CharField(_("event type"), max_length=40)
    scope = models.CharField(max_length=40, blank=True, default="")
    payload: models.JSONField[Any, Any] = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.WAITING)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    # Tries since it was last put in line: the ladder of waits starts anew with a resend.
    rung = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("created"))
    delivered_at = models.DateTimeField(_("delivered"), null=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["endpoint", "source_id", "party"], name="engagement_delivery_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["endpoint", "-created_at", "-id"], name="engagement_delivery_list"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"

    @property
    def message_id(self) -> str:
        return f"msg_{self.id.hex}"


class WebhookTry(models.Model):
    """One line of the delivery log. `status` is HTTP's; `error` a code where there was no answer. Answers are not kept."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=24, blank=True, default="")
    took_ms = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("try of a delivery")
        verbose_name_plural = _("tries of deliveries")

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.status or self.error}"
