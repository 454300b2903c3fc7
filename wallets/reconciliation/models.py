"""Comparisons of an account with an external statement, and what was found to differ."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.crypto import SYSTEM_OWNER, EncryptedTextField
from core.ids import uuid7

NOTE_MAX = 500


class ReconciliationRun(models.Model):
    """
    One file compared with one ledger account. Amounts are minor units of `currency` as the file counts them: for an account
    of ours at a provider that is the mirror of the ledger (`mirrored`). The file itself is not kept, only its digest.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.BigIntegerField(_("ledger account"))
    currency = models.CharField(_("currency"), max_length=3)
    # The party whose account it is, else the hub.
    owner_id = models.UUIDField(default=SYSTEM_OWNER)
    format = models.CharField(_("format"), max_length=16)
    digest = models.CharField(max_length=64)
    mirrored = models.BooleanField(_("mirrored"))
    since = models.DateField(_("first day"))
    until = models.DateField(_("last day"))
    closing_theirs = models.BigIntegerField(_("closing balance in the file"), null=True)
    closing_ours = models.BigIntegerField(_("closing balance in the ledger"))
    matched = models.IntegerField(_("matched"))
    missing = models.IntegerField(_("missing"))
    extra = models.IntegerField(_("extra"))
    different = models.IntegerField(_("different"))
    state = models.CharField(_("state"), max_length=8, choices=State)
    by_person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    created_at = models.DateTimeField(_("made"))
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "digest"], name="wallets_reconciliation_once_a_file"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ReconciliationItem(models.Model):
    """
    One thing to look at. `missing`: the file has it and the ledger does not; `extra`: the other way round; `different`: both
    have it and do not agree, `reason` says on what (amount, day).
    """

    class Kind(models.TextChoices):
        MISSING = "missing", _("Missing")
        EXTRA = "extra", _("Extra")
        DIFFERENT = "different", _("Different")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        RESOLVED = "resolved", _("Resolved")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(ReconciliationRun, on_delete=models.PROTECT, related_name="items", verbose_name=_("reconciliation"))
    owner_id = models.UUIDField(default=SYSTEM_OWNER)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    reason = models.CharField(_("reason"), max_length=10, blank=True, default="")
    transfer = models.BigIntegerField(_("ledger transfer"), null=True)
    ours_minor = models.BigIntegerField(_("amount in the ledger"), null=True)
    ours_on = models.DateField(_("day in the ledger"), null=True)
    theirs_minor = models.BigIntegerField(_("amount in the file"), null=True)
    theirs_on = models.DateField(_("day in the file"), null=True)
    # The file's own words: its id of the movement, who and what for.
    text = EncryptedTextField(owner="owner_id", verbose_name=_("words of the file"), blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    note = EncryptedTextField(owner="owner_id", verbose_name=_("note"), max_length=NOTE_MAX, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    resolved_at = models.DateTimeField(_("resolved"), null=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run"], condition=Q(state="open"), name="wallets_reconciliation_open"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True) | Q(state="resolved", resolved_at__isnull=False),
                name="wallets_reconciliation_resolved_has_time",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
