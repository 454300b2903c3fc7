"""Pots: parts of a wallet that their owner has named."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedTextField
from core.ids import uuid7
from core.money import Money

NAME_MAX = 40


class PotQuerySet(models.QuerySet["Pot"]):
    def open(self) -> PotQuerySet:
        return self.filter(state=Pot.State.OPEN)

    def of(self, party_id: UUID) -> PotQuerySet:
        return self.filter(party_id=party_id)


class Pot(models.Model):
    """
    `account` is the id of the guarded ledger account that holds the pot's money; a foreign key in the database. The currency
    is the wallet's. `goal_minor` is in its minor units; a goal may have a day, and a day needs a goal.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey("wallets.Wallet", on_delete=models.PROTECT, related_name="pots", verbose_name=_("wallet"))
    # The wallet's party: whose key the name is under.
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", verbose_name=_("party"))
    currency = models.CharField(_("currency"), max_length=3)
    account = models.BigIntegerField(_("ledger account"), unique=True)
    name = EncryptedTextField(owner="party_id", verbose_name=_("name"), max_length=NAME_MAX)
    goal_minor = models.BigIntegerField(_("goal in minor units"), null=True, blank=True)
    goal_on = models.DateField(_("goal's day"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    # Made by whoever asked for it, so that asking twice opens one pot.
    idempotency_key = models.CharField(max_length=255)

    objects: ClassVar[models.Manager[Pot]] = PotQuerySet.as_manager()

    class Meta:
        verbose_name = _("pot")
        verbose_name_plural = _("pots")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["wallet", "idempotency_key"], name="wallets_pot_once_a_key"),
            models.CheckConstraint(condition=Q(goal_minor__isnull=True) | Q(goal_minor__gt=0), name="wallets_pot_goal_positive"),
            models.CheckConstraint(condition=Q(goal_on__isnull=True) | Q(goal_minor__isnull=False), name="wallets_pot_day_needs_goal"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | Q(state="closed", closed_at__isnull=False),
                name="wallets_pot_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def goal(self) -> Money | None:
        return Money(self.goal_minor, self.currency) if self.goal_minor is not None else None
