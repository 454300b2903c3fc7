"""Partners: programs of others that use the API, and what people allowed them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication, ApplicationManager

from accounts.models.people import Party, Person
from core import clock
from core.ids import uuid7


class PartnerApplication(AbstractApplication):
    """
    A program that uses the API, owned by a party.

    With a secret it may also act for its own party (client credentials). `user` is the person of that party who answers
    for what it does then: whatever needs an approval waits for theirs.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="applications", verbose_name=_("belongs to"))
    user = models.ForeignKey(
        Person,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="applications_answered_for",
        verbose_name=_("who answers for it"),
    )
    scopes = models.TextField(_("scopes it may ask for"), blank=True, default="", help_text=_("Divided by spaces; empty means all."))
    is_active = models.BooleanField(_("active"), default=True)

    objects: ClassVar[models.Manager[PartnerApplication]] = ApplicationManager()

    class Meta(AbstractApplication.Meta):
        abstract = False
        verbose_name = _("partner")
        verbose_name_plural = _("partners")

    def __str__(self) -> str:
        return str(self.name or self.client_id)

    def allows_grant_type(self, *grant_types: str) -> bool:
        if self.GRANT_CLIENT_CREDENTIALS in grant_types and self.client_type == self.CLIENT_CONFIDENTIAL:
            return True
        return self.authorization_grant_type == self.GRANT_AUTHORIZATION_CODE and self.GRANT_AUTHORIZATION_CODE in grant_types

    def is_usable(self, request: Any) -> bool:
        return self.is_active and self.party.is_open


class PartnerConsent(models.Model):
    """What a person allowed a partner to do for one party, until they take it back."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(PartnerApplication, on_delete=models.PROTECT, related_name="consents")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="partner_consents")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="partner_consents")
    scopes = models.TextField()
    granted_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("consent for a partner")
        verbose_name_plural = _("consents for partners")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["application", "person", "party"], condition=models.Q(revoked_at__isnull=True), name="accounts_partner_consent_once"
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True) | models.Q(revoked_at__gte=models.F("granted_at")),
                name="accounts_partner_consent_period",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
