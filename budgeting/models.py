"""The feed, a person's own rules for filing it, and monthly budgets."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from budgeting.categorise import Category, Why, category_of
from core import crypto
from core.ids import uuid7
from core.money import Money

CATEGORY_MAX = 24


class Kind(models.TextChoices):
    """What kind of movement an item is."""

    TRANSFER_OUT = "transfer_out", _("Sent")
    TRANSFER_IN = "transfer_in", _("Received")
    TOP_UP = "top_up", _("Top-up")
    PAYOUT = "payout", _("Paid to a bank account")
    REFUND = "refund", _("Refund to card")
    RETURNED = "returned", _("Given back")


class FeedItem(models.Model):
    """
    One movement of a party's money, as the party sees it; built from payments and always rebuildable from them.

    `amount_minor` is signed: negative is money out. `on_date` is the day in the time zone of whoever keeps the party's
    books; `home_minor` the amount in their home currency at the rate of `rate_date` (NULL: there was no rate). A party of
    this hub on the other side is named by id only, so that forgetting them forgets their name here too; `counterparty` is
    the name of anybody else. `key` is what rules compare.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", db_index=False)
    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="+")
    original = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    amount_minor = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    at = models.DateTimeField(_("when"))
    on_date = models.DateField(_("day"))
    home_minor = models.BigIntegerField(null=True)
    home_currency = models.CharField(max_length=3)
    rate_date = models.DateField(null=True)
    other_party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    counterparty = crypto.EncryptedTextField(owner="party_id", blank=True)
    merchant = crypto.EncryptedTextField(owner="party_id", blank=True)
    key = crypto.EncryptedTextField(owner="party_id", blank=True)
    key_index = crypto.BlindIndexField(source="key")
    category = models.CharField(_("category"), max_length=CATEGORY_MAX)
    # What the hub itself thinks, kept so that a rule that is taken away leaves what was there before it.
    guess = models.CharField(max_length=CATEGORY_MAX)
    guess_why = models.CharField(max_length=16)
    why = models.CharField(max_length=16)

    class Meta:
        verbose_name = _("item of the feed")
        verbose_name_plural = _("feed")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party", "payment"], name="budgeting_feed_item_once"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="budgeting_feed_item_moves"),
            models.CheckConstraint(
                condition=Q(home_minor__isnull=True, rate_date__isnull=True) | Q(home_minor__isnull=False),
                name="budgeting_feed_item_rate",
            ),
            models.CheckConstraint(
                condition=Q(other_party__isnull=True) | ~Q(other_party=F("party")), name="budgeting_feed_item_two_parties"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["party", "-at", "-id"], name="budgeting_feed_newest"),
            models.Index(fields=["party", "category", "-at", "-id"], name="budgeting_feed_category"),
            models.Index(fields=["party", "on_date"], name="budgeting_feed_month"),
            models.Index(fields=["party", "key_index"], name="budgeting_feed_key"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def home(self) -> Money | None:
        return Money(self.home_minor, self.home_currency) if self.home_minor is not None else None

    @property
    def is_foreign(self) -> bool:
        return self.currency != self.home_currency

    @property
    def filed(self) -> Category:
        return category_of(self.category)

    @property
    def was_chosen(self) -> bool:
        return self.why in (Why.CHOSEN, Why.RULE)


class Rule(models.Model):
    """ "Always file this merchant under that category", made by a person; wins over everything but a choice for one item."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", db_index=False)
    other_party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    merchant = crypto.EncryptedTextField(owner="party_id", blank=True)
    key = crypto.EncryptedTextField(owner="party_id")
    key_index = crypto.BlindIndexField(source="key")
    category = models.CharField(_("category"), max_length=CATEGORY_MAX)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party", "key_index"], name="budgeting_rule_once"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def filed(self) -> Category:
        return category_of(self.category)


class Budget(models.Model):
    """
    What a party means to spend on a category each month, from `from_month` (its first day) until a later row says
    otherwise. NULL: no budget any more. Past months keep what held then.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", db_index=False)
    category = models.CharField(_("category"), max_length=CATEGORY_MAX)
    from_month = models.DateField(_("from month"))
    amount_minor = models.BigIntegerField(_("amount in minor units"), null=True)
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party", "category", "from_month"], name="budgeting_budget_once_a_month"),
            models.CheckConstraint(condition=Q(amount_minor__isnull=True) | Q(amount_minor__gt=0), name="budgeting_budget_positive"),
            models.CheckConstraint(condition=Q(from_month__day=1), name="budgeting_budget_first_of_month"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def amount(self) -> Money | None:
        return Money(self.amount_minor, self.currency) if self.amount_minor is not None else None
