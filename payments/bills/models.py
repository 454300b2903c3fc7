"""Bills and their runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import crypto
from core.ids import uuid7
from core.money import Money
from payments.bills.schedule import Every, Plan, Shift

NAME_MAX = 60
NOTE_MAX = 140


class AmountKind(models.TextChoices):
    FIXED = "fixed", _("The same amount every time")
    UP_TO = "up_to", _("A different amount every time, up to a limit")


class EveryChoice(models.TextChoices):
    WEEK = Every.WEEK.value, _("week")
    MONTH = Every.MONTH.value, _("month")


class ShiftChoice(models.TextChoices):
    NONE = Shift.NONE.value, _("on that day all the same")
    BEFORE = Shift.BEFORE.value, _("on the working day before")
    AFTER = Shift.AFTER.value, _("on the working day after")


class BillState(models.TextChoices):
    REQUIRES_APPROVAL = "requires_approval", _("Waiting for your approval")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class RunState(models.TextChoices):
    SCHEDULED = "scheduled", _("Coming")
    RETRYING = "retrying", _("Tried again soon")
    UNDER_WAY = "under_way", _("On its way")
    PAID = "paid", _("Paid")
    FAILED = "failed", _("Not paid")
    SKIPPED = "skipped", _("Skipped")


# Something will still happen.
OPEN_RUNS = (RunState.SCHEDULED, RunState.RETRYING, RunState.UNDER_WAY)


class BillQuerySet(models.QuerySet["Bill"]):
    def of(self, party_id: UUID) -> BillQuerySet:
        return self.filter(party_id=party_id)

    def living(self) -> BillQuerySet:
        return self.filter(state__in=[BillState.ACTIVE, BillState.PAUSED])


class Bill(models.Model):
    """
    A standing mandate: pay this payee from this wallet on these days.

    `amount_minor` (minor units of `currency`) is the amount of a fixed bill and the most a run of an "up to" bill may be. The
    payee is a party of the hub or a bank account. `approval` is what the person confirmed; none for bills under the
    exemption limit. `change` is a change that waits for its own approval, as JSON. Times are of `time_zone`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", db_index=False)
    by_person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=20, choices=BillState)
    name = crypto.EncryptedTextField(owner="party_id", verbose_name=_("name"), max_length=NAME_MAX)
    note = crypto.EncryptedTextField(owner="party_id", verbose_name=_("note"), max_length=NOTE_MAX, blank=True)
    wallet = models.ForeignKey("wallets.Wallet", on_delete=models.PROTECT, related_name="+")
    payee_party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    bank_account = models.ForeignKey("payments.BankAccount", on_delete=models.PROTECT, null=True, related_name="+")
    amount_kind = models.CharField(_("amount"), max_length=8, choices=AmountKind)
    amount_minor = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    every = models.CharField(_("every"), max_length=8, choices=EveryChoice)
    interval = models.PositiveSmallIntegerField(_("interval"))
    anchor = models.PositiveSmallIntegerField(_("day of the month"))
    first_on = models.DateField(_("first day"))
    last_on = models.DateField(_("last day"), null=True)
    shift = models.CharField(_("weekends and holidays"), max_length=8, choices=ShiftChoice)
    country = models.CharField(_("country of the holidays"), max_length=2, blank=True, default="")
    at = models.TimeField(_("time of day"))
    time_zone = models.CharField(_("time zone"), max_length=64)
    approval = models.ForeignKey("accounts.Approval", on_delete=models.PROTECT, null=True, related_name="+")
    change = crypto.EncryptedTextField(owner="party_id", blank=True)
    change_approval = models.ForeignKey("accounts.Approval", on_delete=models.PROTECT, null=True, related_name="+")
    idempotency_key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects: ClassVar[models.Manager[Bill]] = BillQuerySet.as_manager()

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party", "idempotency_key"], name="payments_bill_once_a_key"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_bill_amount_positive"),
            models.CheckConstraint(condition=Q(anchor__gte=1, anchor__lte=31, interval__gte=1), name="payments_bill_days"),
            models.CheckConstraint(
                condition=Q(payee_party__isnull=False, bank_account__isnull=True) | Q(payee_party__isnull=True, bank_account__isnull=False),
                name="payments_bill_one_payee",
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False) | ~Q(state="ended") & Q(ended_at__isnull=True),
                name="payments_bill_ended_has_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["party", "-created_at", "-id"], name="payments_bill_by_party"),
            models.Index(fields=["payee_party", "-created_at", "-id"], name="payments_bill_by_payee"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def plan(self) -> Plan:
        return Plan(
            every=Every(self.every),
            interval=self.interval,
            first_on=self.first_on,
            anchor=self.anchor,
            shift=Shift(self.shift),
            at=self.at,
            zone=self.time_zone,
            country=self.country,
            last_on=self.last_on,
        )

    def plan_today(self, now: datetime) -> date:
        """The date where the bill lives."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    @property
    def is_living(self) -> bool:
        return self.state in (BillState.ACTIVE, BillState.PAUSED)

    @property
    def is_up_to(self) -> bool:
        return self.amount_kind == AmountKind.UP_TO


class BillRun(models.Model):
    """
    One period of a bill: paid once, whatever happens. `amount_minor` is None until it is known ("up to" bills).
    `due_at` is when it is tried next; `pay_on` the day it was meant for, in the bill's zone.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="runs")
    period = models.CharField(max_length=10)
    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.SCHEDULED)
    on_date = models.DateField(_("day"))
    pay_on = models.DateField(_("paid on"))
    due_at = models.DateTimeField(_("due"))
    amount_minor = models.BigIntegerField(_("amount in minor units"), null=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    failure_code = models.CharField(max_length=40, blank=True, default="")
    payment = models.OneToOneField("payments.Payment", on_delete=models.PROTECT, null=True, related_name="bill_run")
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("run of a bill")
        verbose_name_plural = _("runs of bills")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["bill", "period"], name="payments_bill_run_once_a_period"),
            models.UniqueConstraint(fields=["bill"], condition=Q(state="scheduled"), name="payments_bill_run_one_coming"),
            models.CheckConstraint(condition=Q(amount_minor__isnull=True) | Q(amount_minor__gt=0), name="payments_bill_run_amount"),
            models.CheckConstraint(
                condition=~Q(state__in=["paid", "under_way"]) | Q(payment__isnull=False), name="payments_bill_run_paid_has_payment"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["bill", "-on_date"], name="payments_bill_run_by_date")]

    def __str__(self) -> str:
        return f"{self.bill_id} {self.period}"

    @property
    def amount(self) -> Money | None:
        """None until it is known."""
        return Money(self.amount_minor, self.bill.currency) if self.amount_minor is not None else None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_RUNS

    @property
    def later_on(self) -> date | None:
        """The day of the next try, when it is not the first."""
        return self.bill.plan_today(self.due_at) if self.state == RunState.RETRYING else None

    @property
    def paid_later_on(self) -> date | None:
        """The day on which it was paid, when that is not the day it was meant for."""
        if self.state != RunState.PAID or self.decided_at is None:
            return None
        paid_on = self.bill.plan_today(self.decided_at)
        return paid_on if paid_on != self.pay_on else None
