"""What people say about who they are. Every submission is a row; a row is never rewritten, only decided or replaced."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.crypto import BlindIndexField, EncryptedTextField
from core.ids import uuid7


class DocumentKind(models.TextChoices):
    PERSONAL_NUMBER = "personal_number", _("Personal number")
    PASSPORT = "passport", _("Passport")
    ID_CARD = "id_card", _("Identity card")


class IdentityState(models.TextChoices):
    CHECKED = "checked", _("Checked")
    VERIFIED = "verified", _("Verified by staff")
    DECLINED = "declined", _("Declined by staff")
    REPLACED = "replaced", _("Replaced by newer details")


class DeclineReason(models.TextChoices):
    NOT_CONFIRMED = "not_confirmed", _("The details could not be confirmed")
    CONTRADICTS = "contradicts", _("The details contradict the document")
    NOT_VALID = "not_valid", _("The document is not valid any more")
    IN_USE = "in_use", _("The document belongs to another account")
    OTHER = "other", _("Another reason")


CURRENT = (IdentityState.CHECKED, IdentityState.VERIFIED)


class IdentityData(models.Model):
    """
    One submission, encrypted under its party's key. `country` is where the person lives and in clear, since rules depend on it.

    `format_known` says whether the number's format could be checked. `document_index` finds one document used by two parties.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="+", verbose_name=_("party"))
    submitted_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=IdentityState, default=IdentityState.CHECKED)
    legal_name = EncryptedTextField(verbose_name=_("legal name"))
    birth_date_text = EncryptedTextField(verbose_name=_("birth date"))
    street = EncryptedTextField(verbose_name=_("street and number"))
    postcode = EncryptedTextField(verbose_name=_("postcode"), blank=True)
    city = EncryptedTextField(verbose_name=_("town"))
    country = models.CharField(_("country"), max_length=2)
    document_kind = models.CharField(_("document"), max_length=16, choices=DocumentKind)
    document_country = models.CharField(_("issued by"), max_length=2)
    document_number = EncryptedTextField(verbose_name=_("number"))
    document_index = BlindIndexField(source="document_number")
    format_known = models.BooleanField(_("number's format is known"))
    submitted_at = models.DateTimeField(_("submitted"))
    decided_at = models.DateTimeField(_("decided"), null=True)
    decided_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("decided by"))
    reason = models.CharField(_("reason"), max_length=16, choices=DeclineReason, blank=True, default="")
    # What staff noted for themselves: under the person's key, because it speaks of them.
    note = EncryptedTextField(verbose_name=_("note"), blank=True)

    class Meta:
        verbose_name = _("identity details")
        verbose_name_plural = _("identity details")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["party"], condition=Q(state__in=["checked", "verified"]), name="compliance_identity_one_current"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["checked", "replaced"]) | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="compliance_identity_decided",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["party", "-submitted_at", "-id"], name="compliance_identity_history"),
            models.Index(fields=["document_index"], name="compliance_identity_document"),
            models.Index(fields=["submitted_at", "id"], condition=Q(state="checked"), name="compliance_identity_waiting"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def number_hint(self) -> str:
        """The last characters, enough to recognise one's own document."""
        return "•••• " + self.document_number[-3:] if self.document_number else ""
