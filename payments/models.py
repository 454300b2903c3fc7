"""Payments, their timelines, what providers know of them, and the events that providers sent."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import crypto, db
from core.ids import uuid7
from core.money import Money

NOTE_MAX = 140
HOLDER_MAX = 70


class Kind(models.TextChoices):
    TRANSFER = "transfer", _("Transfer")
    TOP_UP = "top_up", _("Top-up")
    REFUND = "refund", _("Refund")
    REVERSAL = "reversal", _("Reversal")
    PAYOUT = "payout", _("Payout")


class State(models.TextChoices):
    PENDING = "pending", _("Starting")
    UNKNOWN = "unknown", _("Checking with the provider")
    WAITING = "waiting", _("Waiting")
    REQUIRES_APPROVAL = "requires_approval", _("Waiting for your approval")
    HELD = "held", _("Held for review")
    POSTED = "posted", _("Done")
    REVERSED = "reversed", _("Reversed")
    REFUNDED = "refunded", _("Refunded")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


# The provider may still decide.
OPEN_AT_PROVIDER = (State.PENDING, State.UNKNOWN, State.WAITING)
# The money has reached its wallet at some time.
SETTLED = (State.POSTED, State.REVERSED, State.REFUNDED)


def iban_grouped(iban: str) -> str:
    """In groups of four, as people read it."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


class BankAccount(models.Model):
    """An account at some bank that a party has paid. Never changed: an approval is for this account and this name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", db_index=False)
    iban = crypto.EncryptedTextField(owner="party_id", verbose_name=_("IBAN"))
    iban_index = crypto.BlindIndexField(source="iban")
    name = crypto.EncryptedTextField(owner="party_id", verbose_name=_("account holder"), max_length=HOLDER_MAX)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["party", "iban_index"], name="payments_bank_account_by_iban")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def iban_short(self) -> str:
        """Enough to recognise it: country and the last four."""
        return f"{self.iban[:2]}\u2026{self.iban[-4:]}"

    @property
    def iban_grouped(self) -> str:
        return iban_grouped(self.iban)


RARER = Q(kind__in=["top_up", "refund", "reversal", "payout"])


class PaymentQuerySet(models.QuerySet["Payment"]):
    def out_of(self, party_id: UUID) -> PaymentQuerySet:
        return self.filter(payer_party_id=party_id)

    def into(self, party_id: UUID) -> PaymentQuerySet:
        """What the payee may know of: never what the payer has not approved, or gave up."""
        return self.filter(payee_party_id=party_id).filter(~Q(kind=Kind.TRANSFER) | Q(state__in=SETTLED))


class Payment(models.Model):
    """
    One movement of money that somebody asked for.

    `party` is who asked: its key encrypts the note, and idempotency keys are unique within it. A top-up has no payer party
    and a refund no payee party: the other side is the card. `counted_minor` is what compliance counted for it, in the
    reference currency, at `counted_at`. `amount_minor` is in minor units of `currency`. States move by payments.states only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    state = models.CharField(_("state"), max_length=20, choices=State)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+")
    payer_party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    payee_party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    wallet_from = models.ForeignKey("wallets.Wallet", on_delete=models.PROTECT, null=True, related_name="+")
    wallet_to = models.ForeignKey("wallets.Wallet", on_delete=models.PROTECT, null=True, related_name="+")
    amount_minor = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    note = crypto.EncryptedTextField(owner="party_id", verbose_name=_("note"), max_length=NOTE_MAX, blank=True)
    by_person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    approval = models.ForeignKey("accounts.Approval", on_delete=models.PROTECT, null=True, related_name="+")
    # Where a payout goes.
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, null=True, related_name="payments")
    original = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="undone_by")
    idempotency_key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    counted_minor = models.BigIntegerField(null=True)
    counted_at = models.DateTimeField(null=True)
    hold = models.BigIntegerField(null=True)
    suspended = models.BooleanField(default=False)
    failure_code = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(_("settled"), null=True)

    objects: ClassVar[models.Manager[Payment]] = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["party", "idempotency_key"], name="payments_payment_once_a_key"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(kind__in=["transfer", "reversal"], payer_party__isnull=False, payee_party__isnull=False)
                | Q(kind="top_up", payer_party__isnull=True, payee_party__isnull=False)
                | Q(kind__in=["refund", "payout"], payer_party__isnull=False, payee_party__isnull=True),
                name="payments_payment_sides",
            ),
            models.CheckConstraint(
                condition=Q(payer_party__isnull=True) | Q(payee_party__isnull=True) | ~Q(payer_party=F("payee_party")),
                name="payments_payment_two_parties",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["posted", "reversed", "refunded"]) | Q(settled_at__isnull=False),
                name="payments_payment_settled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(counted_minor__isnull=True, counted_at__isnull=True)
                | Q(counted_minor__gte=0, counted_minor__isnull=False, counted_at__isnull=False),
                name="payments_payment_counted_has_time",
            ),
            models.CheckConstraint(condition=~Q(kind="payout") | Q(bank_account__isnull=False), name="payments_payment_payout_has_account"),
            # A transfer is undone once. Refunds may be several; their sum is guarded under the lock of the top-up.
            models.UniqueConstraint(fields=["original"], condition=Q(kind="reversal"), name="payments_payment_reversed_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["payer_party", "-created_at", "-id"], name="payments_payment_by_payer"),
            models.Index(fields=["payee_party", "-created_at", "-id"], name="payments_payment_by_payee"),
            # The lists of what is rarer than transfers, for parties with very many of those; they cost transfers nothing.
            models.Index(fields=["payer_party", "kind", "-created_at", "-id"], condition=RARER, name="payments_payment_rare_by_payer"),
            models.Index(fields=["payee_party", "kind", "-created_at", "-id"], condition=RARER, name="payments_payment_rare_by_payee"),
            models.Index(
                fields=["payee_party"], condition=Q(state__in=["pending", "unknown", "waiting"]), name="payments_payment_incoming"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


class PaymentStep(models.Model):
    """One line of a payment's timeline; append-only. `code` says why, where the state alone does not."""

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    state = models.CharField(max_length=20, choices=State)
    code = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        db_table = db.append_only("payments_step")
        verbose_name = _("step of a payment")
        verbose_name_plural = _("steps of payments")

    def __str__(self) -> str:
        return f"{self.payment_id} {self.state}"

    @property
    def label(self) -> str | Promise:
        return State(self.state).label


class ProviderLink(models.Model):
    """
    What a provider calls a payment: `object_id` is the checkout page or the refund, `payment_id` the card payment behind it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="provider")
    gateway = models.CharField(max_length=16)
    object_id = models.CharField(max_length=255, blank=True, default="")
    provider_payment = models.CharField(max_length=255, blank=True, default="")
    # Whoever has the address can pay on the page, so it is kept like a secret.
    url = crypto.EncryptedTextField(owner="payment.party_id", blank=True)
    language = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        verbose_name = _("payment at a provider")
        verbose_name_plural = _("payments at providers")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["gateway", "object_id"], condition=~Q(object_id=""), name="payments_provider_link_object"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.payment_id}"


class Mismatch(models.Model):
    """
    A top-up of which the provider reports something else than was asked for: both figures, in minor units of their
    currencies, and what two members of staff decide. `is_ours` says that the paid page is the one opened for this payment.

    What one proposes another one decides. It opens again when the money that was to go back did not.
    """

    class Decision(models.TextChoices):
        CREDIT = "credit", _("Credit what was received")
        SEND_BACK = "send_back", _("Send it back to the card")
        CLOSE = "close", _("Close it: nothing is owed to this party")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="mismatch")
    asked_minor = models.BigIntegerField(_("asked for, in minor units"))
    asked_currency = models.CharField(_("currency asked for"), max_length=3)
    reported_minor = models.BigIntegerField(_("reported, in minor units"))
    reported_currency = models.CharField(_("currency reported"), max_length=3)
    is_ours = models.BooleanField(_("paid on our page for this payment"))
    reported_at = models.DateTimeField(_("reported"))
    proposal = models.CharField(_("proposal"), max_length=10, choices=Decision, blank=True, default="")
    proposed_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed"), null=True)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True, default="")
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("top-up reported otherwise")
        verbose_name_plural = _("top-ups reported otherwise")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(decision="", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(decision="")
                & Q(decision=F("proposal"), decided_at__isnull=False, decided_by__isnull=False, proposed_by__isnull=False),
                name="payments_mismatch_decided_as_proposed",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="payments_mismatch_four_eyes"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["-reported_at", "-id"], name="payments_mismatch_newest")]

    def __str__(self) -> str:
        return str(self.payment_id)

    @property
    def asked(self) -> Money:
        return Money(self.asked_minor, self.asked_currency)

    @property
    def reported(self) -> Money:
        return Money(self.reported_minor, self.reported_currency)

    @property
    def possible(self) -> list[Decision]:
        """Money on somebody else's page is neither credited to this party nor taken from whoever paid there."""
        return list(self.Decision) if self.is_ours and self.reported_minor > 0 else [self.Decision.CLOSE]


class ProviderEvent(models.Model):
    """
    A verified message from a provider, stored once by the provider's own id and processed later.

    The raw body is encrypted for the party it is about, as far as that is known when it arrives, else for the hub.
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("Received")
        DONE = "done", _("Processed")
        IGNORED = "ignored", _("Not about us")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    gateway = models.CharField(max_length=16)
    event_id = models.CharField(max_length=255)
    name = models.CharField(max_length=80)
    owner_id = models.UUIDField(default=crypto.SYSTEM_OWNER)
    body = crypto.EncryptedTextField(owner="owner_id")
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="provider_events")
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("event of a provider")
        verbose_name_plural = _("events of providers")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["gateway", "event_id"], name="payments_provider_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id}"


# Django finds an app's models through this module.
from payments.bills.models import Bill, BillRun  # noqa: E402, F401
