"""A case and what waits for its decision."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core import crypto
from core.ids import uuid7


class Decision(models.TextChoices):
    RELEASE = "release", _("Release")
    BLOCK = "block", _("Block")


class Case(models.Model):
    """
    A party that staff have to look at. One member of staff proposes a decision, another one makes it: the database refuses
    a decided case with one person on both lines.

    `resolved` is for what settles itself: a verdict that was missing has come, and it is clear.
    """

    class Reason(models.TextChoices):
        HIT = "hit", _("Name on a list")
        MISSING = "missing", _("Not screened yet")
        STALE = "stale", _("Screened before the list changed")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        RELEASED = "released", _("Released")
        BLOCKED = "blocked", _("Blocked")
        RESOLVED = "resolved", _("Settled itself")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", verbose_name=_("party"))
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened"))
    proposal = models.CharField(_("proposal"), max_length=8, choices=Decision, blank=True, default="")
    proposed_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed by")
    )
    proposed_at = models.DateTimeField(_("proposed"), null=True, blank=True)
    decided_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    note = crypto.EncryptedTextField(owner="party_id", verbose_name=_("note"), blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party"], condition=Q(state="open"), name="compliance_case_one_open"),
            models.CheckConstraint(
                condition=~Q(state__in=["released", "blocked"])
                | (Q(proposed_by__isnull=False, decided_by__isnull=False) & ~Q(proposed_by=F("decided_by"))),
                name="compliance_case_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="compliance_case_closed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(proposal="", proposed_by__isnull=True, proposed_at__isnull=True)
                | (~Q(proposal="") & Q(proposed_by__isnull=False, proposed_at__isnull=False)),
                name="compliance_case_proposal_whole",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["state", "opened_at"], name="compliance_case_by_state")]

    def __str__(self) -> str:
        return str(self.id)


class CaseItem(models.Model):
    """Something that waits for the case: a payment, named by its id alone."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="items")
    kind = models.CharField(_("kind"), max_length=16)
    object_id = models.UUIDField(_("object"))
    added_at = models.DateTimeField(_("added"))

    class Meta:
        verbose_name = _("item of a case")
        verbose_name_plural = _("items of cases")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["case", "kind", "object_id"], name="compliance_case_item_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["object_id"], name="compliance_case_item_object")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"
