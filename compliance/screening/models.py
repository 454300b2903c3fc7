"""Sanctions lists with their versions, and what screening found about each party."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import crypto
from core.ids import uuid7


class Source(models.TextChoices):
    OFAC = "ofac", _("OFAC, specially designated nationals")
    OFAC_CONSOLIDATED = "ofac-consolidated", _("OFAC, other lists")
    UN = "un", _("United Nations Security Council")
    DEMO = "demo", _("Demonstration (made up)")


class SanctionsList(models.Model):
    """
    A list as it was published at one moment. Of each source one version is active; loading puts a whole new one in its
    place in one transaction, or changes nothing.

    The id grows with every version: the newest active one says how new a verdict has to be.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(_("source"), max_length=20, choices=Source)
    version = models.CharField(_("version"), max_length=64)
    digest = models.CharField(max_length=64)
    active = models.BooleanField(_("active"), default=False)
    loaded_at = models.DateTimeField(_("loaded"))
    entries_count = models.PositiveIntegerField(_("entries"))
    names_count = models.PositiveIntegerField(_("names"))
    added = models.PositiveIntegerField(_("added"))
    removed = models.PositiveIntegerField(_("removed"))
    changed = models.PositiveIntegerField(_("changed"))

    class Meta:
        verbose_name = _("sanctions list")
        verbose_name_plural = _("sanctions lists")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source"], condition=Q(active=True), name="compliance_sanctions_list_one_active"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.version}"


class ListEntry(models.Model):
    """One person, organisation, ship or aircraft of a list. What lists publish is public, so it is in clear."""

    id = models.BigAutoField(primary_key=True)
    sanctions_list = models.ForeignKey(SanctionsList, on_delete=models.CASCADE, related_name="entries", verbose_name=_("list"))
    entry_id = models.CharField(_("number"), max_length=40)
    schema = models.CharField(_("kind"), max_length=16)
    programme = models.CharField(_("programme"), max_length=80, blank=True, default="")
    birth_years: models.JSONField[list[int], list[int]] = models.JSONField(_("years of birth"), default=list)
    countries: models.JSONField[list[str], list[str]] = models.JSONField(_("countries"), default=list)
    digest = models.CharField(max_length=32)

    class Meta:
        verbose_name = _("entry of a list")
        verbose_name_plural = _("entries of lists")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["sanctions_list", "entry_id"], name="compliance_list_entry_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sanctions_list_id} {self.entry_id}"


class ListName(models.Model):
    """One of an entry's names, as the list writes it."""

    class Kind(models.TextChoices):
        PRIMARY = "primary", _("Name")
        ALIAS = "alias", _("Other name")
        WEAK = "weak", _("Weak other name")
        ORIGINAL = "original", _("In the original script")

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(ListEntry, on_delete=models.CASCADE, related_name="names", verbose_name=_("entry"))
    text = models.CharField(_("name"), max_length=600)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)

    class Meta:
        verbose_name = _("name of an entry")
        verbose_name_plural = _("names of entries")

    def __str__(self) -> str:
        return str(self.id)


class Verdict(models.Model):
    """
    What screening found about a party, the newest only; what it was before is in the audit log.

    `list_id` is the newest list that was looked at. `matches` quotes names and reasons, so it is encrypted for the party.
    A hit is left by the decision of two members of staff only: a name changed after it does not clear anybody.
    """

    class State(models.TextChoices):
        CLEAR = "clear", _("Clear")
        HIT = "hit", _("Hit")
        OUTDATED = "outdated", _("To be screened again")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.OneToOneField("accounts.Party", on_delete=models.PROTECT, related_name="verdict", verbose_name=_("party"))
    state = models.CharField(_("state"), max_length=8, choices=State)
    screened_at = models.DateTimeField(_("screened"))
    list_id = models.BigIntegerField(default=0)
    score = models.PositiveSmallIntegerField(_("best score in thousandths"), default=0)
    matches = crypto.EncryptedTextField(owner="party_id", verbose_name=_("matches"), blank=True)

    class Meta:
        verbose_name = _("screening verdict")
        verbose_name_plural = _("screening verdicts")
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["list_id", "party"], name="compliance_verdict_by_list")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(score__lte=1000), name="compliance_verdict_score"),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} {self.state}"


class Clearance(models.Model):
    """
    Two members of staff have found that a party is not this entry. It holds for the entry as it was and for the name the
    party had: when either changes, screening asks again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=20)
    entry_id = models.CharField(max_length=40)
    entry_digest = models.CharField(max_length=32)
    name_index = models.BinaryField(max_length=32)
    case = models.ForeignKey("compliance.Case", on_delete=models.PROTECT, related_name="clearances")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("clearance")
        verbose_name_plural = _("clearances")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party", "source", "entry_id", "entry_digest", "name_index"], name="compliance_clearance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} {self.source} {self.entry_id}"
