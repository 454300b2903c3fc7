"""The daily report: what people are owed, and where it lies."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import db
from core.ids import uuid7


class SafeguardingReport(models.Model):
    """One a day of the operator's calendar; `at` is the one moment at which everything in it was read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    on = models.DateField(_("day"), unique=True)
    at = models.DateTimeField(_("read at"))
    agrees = models.BooleanField(_("agrees"))

    class Meta:
        db_table = db.append_only("wallets_safeguarding_report")
        verbose_name = _("safeguarding report")
        verbose_name_plural = _("safeguarding reports")

    def __str__(self) -> str:
        return str(self.on)


class SafeguardingLine(models.Model):
    """
    One currency of a report, in minor units. `client_money` is what lies at providers for people, `people` what they have in
    wallets and pots, `suspense` what else they are owed. `difference` = client money - people - suspense: below zero people's
    money is missing, above zero the operator's own lies among it.
    """

    report = models.ForeignKey(SafeguardingReport, on_delete=models.PROTECT, related_name="lines")
    currency = models.CharField(_("currency"), max_length=3)
    client_money = models.BigIntegerField(_("client money"))
    people = models.BigIntegerField(_("owed in wallets and pots"))
    suspense = models.BigIntegerField(_("owed otherwise"))
    difference = models.BigIntegerField(_("difference"))

    class Meta:
        db_table = db.append_only("wallets_safeguarding_line")
        verbose_name = _("line of a safeguarding report")
        verbose_name_plural = _("lines of safeguarding reports")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["report", "currency"], name="wallets_safeguarding_line_once"),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.currency}"


class SafeguardingPlace(models.Model):
    """
    What the ledger has at one provider in one currency, beside what the provider says. `reported` is None until it has
    answered, and where it knows no such balance; `failure_code` says why there is no answer.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for the provider")
        AGREES = "agrees", _("Agrees")
        DIFFERS = "differs", _("Differs")
        UNAVAILABLE = "unavailable", _("No answer")

    report = models.ForeignKey(SafeguardingReport, on_delete=models.PROTECT, related_name="places")
    provider = models.CharField(_("provider"), max_length=32)
    currency = models.CharField(_("currency"), max_length=3)
    ledger = models.BigIntegerField(_("in the ledger"))
    reported = models.BigIntegerField(_("says the provider"), null=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WAITING)
    failure_code = models.CharField(_("why"), max_length=40, blank=True, default="")
    reported_at = models.DateTimeField(_("answered at"), null=True)

    class Meta:
        verbose_name = _("provider in a safeguarding report")
        verbose_name_plural = _("providers in safeguarding reports")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["report", "provider", "currency"], name="wallets_safeguarding_place_once"),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.provider} {self.currency}"

    @property
    def difference(self) -> int | None:
        return None if self.reported is None else self.reported - self.ledger
