"""
The ledger's tables, to read. They are made and written by wallets/sql only; nothing outside this app imports this module.

Amounts are minor units of the row's currency.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LedgerAccount(models.Model):
    """`posted`, `held` and `seq` are kept for guarded accounts only; an accumulating one is the sum of its entries."""

    class Kind(models.TextChoices):
        GUARDED = "guarded", _("Guarded")
        ACCUMULATING = "accumulating", _("Accumulating")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")
        ARCHIVED = "archived", _("Archived")

    id = models.BigIntegerField(primary_key=True)
    currency = models.TextField()
    kind = models.TextField(choices=Kind)
    state = models.TextField(choices=State)
    code = models.TextField(null=True)
    posted = models.BigIntegerField()
    held = models.BigIntegerField()
    seq = models.BigIntegerField()
    floor = models.BigIntegerField()
    ceiling = models.BigIntegerField()
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "ledger_account"
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")

    def __str__(self) -> str:
        return str(self.id)


class LedgerTransfer(models.Model):
    class Kind(models.TextChoices):
        POSTED = "posted", _("Posted")
        PENDING = "pending", _("Pending")
        CAPTURE = "capture", _("Capture")
        VOID = "void", _("Void")
        REVERSAL = "reversal", _("Reversal")

    id = models.BigIntegerField(primary_key=True)
    key = models.UUIDField(unique=True)
    request_hash = models.BigIntegerField()
    debit = models.ForeignKey(LedgerAccount, on_delete=models.DO_NOTHING, db_column="debit", related_name="+")
    credit = models.ForeignKey(LedgerAccount, on_delete=models.DO_NOTHING, db_column="credit", related_name="+")
    amount = models.BigIntegerField()
    currency = models.TextField()
    kind = models.TextField(choices=Kind)
    origin = models.ForeignKey("self", null=True, on_delete=models.DO_NOTHING, db_column="origin", related_name="+")
    created_at = models.DateTimeField()
    effective_at = models.DateTimeField(null=True)
    meta = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "ledger_transfer"
        verbose_name = _("ledger transfer")
        verbose_name_plural = _("ledger transfers")

    def __str__(self) -> str:
        return str(self.id)


class LedgerEntry(models.Model):
    pk = models.CompositePrimaryKey("account_id", "seq")
    account = models.ForeignKey(LedgerAccount, on_delete=models.DO_NOTHING, db_column="account", related_name="+")
    seq = models.BigIntegerField()
    transfer = models.ForeignKey(LedgerTransfer, on_delete=models.DO_NOTHING, db_column="transfer", related_name="entries")
    amount = models.BigIntegerField()
    balance = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    currency = models.TextField()

    class Meta:
        managed = False
        db_table = "ledger_entry"

    def __str__(self) -> str:
        return f"{self.account_id}/{self.seq}"


class LedgerHold(models.Model):
    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CAPTURED = "captured", _("Captured")
        VOIDED = "voided", _("Voided")
        EXPIRED = "expired", _("Expired")

    id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(LedgerAccount, on_delete=models.DO_NOTHING, db_column="account", related_name="+")
    amount = models.BigIntegerField()
    remaining = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True)
    state = models.TextField(choices=State)

    class Meta:
        managed = False
        db_table = "ledger_hold"
        verbose_name = _("hold")
        verbose_name_plural = _("holds")

    def __str__(self) -> str:
        return str(self.id)
