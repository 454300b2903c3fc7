"""Wallets: a party's money in one currency, kept in one ledger account."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from core.crypto import EncryptedTextField
from core.ids import uuid7
from wallets import ledger_models  # noqa: F401  (Django finds an app's models through this module)


class WalletQuerySet(models.QuerySet["Wallet"]):
    def open(self) -> WalletQuerySet:
        return self.filter(state=Wallet.State.OPEN)

    def of(self, party_id: UUID) -> WalletQuerySet:
        return self.filter(party_id=party_id)


class Wallet(models.Model):
    """`account` is the id of the guarded ledger account that holds the money; a foreign key in the database."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="wallets", verbose_name=_("party"))
    currency = models.CharField(_("currency"), max_length=3)
    account = models.BigIntegerField(_("ledger account"), unique=True)
    name = EncryptedTextField(owner="party_id", verbose_name=_("name"), blank=True, default="")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects: ClassVar[models.Manager[Wallet]] = WalletQuerySet.as_manager()

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party", "currency"], condition=Q(state="open"), name="wallets_wallet_one_open"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | Q(state="closed", closed_at__isnull=False),
                name="wallets_wallet_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


# Django finds an app's models through this module.
from wallets.pots.models import Pot  # noqa: E402, F401
from wallets.reconciliation.models import ReconciliationItem, ReconciliationRun  # noqa: E402, F401
from wallets.safeguarding.models import SafeguardingLine, SafeguardingPlace, SafeguardingReport  # noqa: E402, F401
from wallets.seals.models import LedgerSeal  # noqa: E402, F401
