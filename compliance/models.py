"""How far a party is known (PartyLevel), what each level may move (LimitRule) and what it has moved (Usage)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from compliance.cases.models import Case, CaseItem, Decision
from compliance.identity.models import IdentityData
from compliance.screening.models import Clearance, ListEntry, ListName, SanctionsList, Source, Verdict
from core.ids import uuid7

__all__ = [
    "Case",
    "CaseItem",
    "Clearance",
    "Decision",
    "Direction",
    "IdentityData",
    "Level",
    "LimitRule",
    "ListEntry",
    "ListName",
    "PartyLevel",
    "SanctionsList",
    "Source",
    "Usage",
    "Verdict",
    "Window",
]


class Level(models.IntegerChoices):
    """Lower is better known; a party without a row is at the strictest."""

    VERIFIED = 1, _("Verified by us")
    IDENTITY = 2, _("Identity given and checked")
    EMAIL = 3, _("E-mail address only")


class Window(models.TextChoices):
    PAYMENT = "payment", _("One payment")
    DAY = "day", _("A day")
    MONTH = "month", _("A month")
    BALANCE = "balance", _("Balance")


class Direction(models.TextChoices):
    OUT = "out", _("Out")
    IN = "in", _("In")
    NONE = "", _("Held")


class PartyLevelQuerySet(models.QuerySet["PartyLevel"]):
    def at(self, moment: datetime) -> PartyLevelQuerySet:
        return self.filter(Q(active_to__isnull=True) | Q(active_to__gt=moment), active_from__lte=moment)


class PartyLevel(models.Model):
    """A party is at `level` from `active_from` up to, and not including, `active_to`. Rows are never rewritten, only ended."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="levels", verbose_name=_("party"))
    level = models.PositiveSmallIntegerField(_("level"), choices=Level)
    active_from = models.DateTimeField(_("from"))
    active_to = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=40)
    set_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("set by")
    )

    objects: ClassVar[models.Manager[PartyLevel]] = PartyLevelQuerySet.as_manager()

    class Meta:
        verbose_name = _("level of a party")
        verbose_name_plural = _("levels of parties")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party"], condition=Q(active_to__isnull=True), name="compliance_party_level_one_open"),
            models.UniqueConstraint(fields=["party", "active_from"], name="compliance_party_level_one_start"),
            models.CheckConstraint(condition=Q(level__in=[1, 2, 3]), name="compliance_party_level_known"),
            models.CheckConstraint(
                condition=Q(active_to__isnull=True) | Q(active_to__gt=F("active_from")), name="compliance_party_level_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_id}: {self.level}"


class LimitRuleQuerySet(models.QuerySet["LimitRule"]):
    def at(self, moment: datetime) -> LimitRuleQuerySet:
        return self.filter(Q(active_to__isnull=True) | Q(active_to__gt=moment), active_from__lte=moment)


class LimitRule(models.Model):
    """
    What a level allows, from `active_from` up to, and not including, `active_to`.

    `amount_minor` is in minor units of the reference currency. A balance rule has no direction. The database refuses two
    rules of one level, window and direction whose times overlap (sql/limit_rule.sql). No rule: no limit.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    level = models.PositiveSmallIntegerField(_("level"), choices=Level)
    window = models.CharField(_("window"), max_length=8, choices=Window)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction, blank=True, default=Direction.NONE)
    amount_minor = models.BigIntegerField(_("amount in minor units of the reference currency"))
    active_from = models.DateTimeField(_("from"))
    active_to = models.DateTimeField(_("until"), null=True, blank=True)

    objects: ClassVar[models.Manager[LimitRule]] = LimitRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(level__in=[1, 2, 3]), name="compliance_limit_rule_level"),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="compliance_limit_rule_amount"),
            models.CheckConstraint(
                condition=Q(window="balance", direction="") | Q(window__in=["payment", "day", "month"], direction__in=["out", "in"]),
                name="compliance_limit_rule_direction",
            ),
            models.CheckConstraint(
                condition=Q(active_to__isnull=True) | Q(active_to__gt=F("active_from")), name="compliance_limit_rule_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.window} {self.direction}".strip()

    def clean(self) -> None:
        if (self.window == Window.BALANCE) != (self.direction == Direction.NONE):
            raise ValidationError({"direction": _("A balance has no direction; every other window needs one.")})


class Usage(models.Model):
    """
    What a party has moved in one window, in minor units of the reference currency.

    `starts_on` is the first day of the window in the operator's time zone. Written only by compliance.limits, inside the
    transaction that posts the money.
    """

    id = models.BigAutoField(primary_key=True)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=3, choices=Direction)
    window = models.CharField(max_length=8, choices=Window)
    starts_on = models.DateField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party", "direction", "window", "starts_on", "currency"], name="compliance_usage_one_row"),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="compliance_usage_not_negative"),
            models.CheckConstraint(condition=Q(window__in=["day", "month"], direction__in=["out", "in"]), name="compliance_usage_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} {self.direction} {self.window} {self.starts_on}"
