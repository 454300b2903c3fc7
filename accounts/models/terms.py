"""What people agree to, in versions, and who agreed when."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Person
from core import clock
from core.db import append_only
from core.ids import uuid7


class TermsQuerySet(models.QuerySet["Terms"]):
    def effective(self, at: datetime) -> TermsQuerySet:
        return self.filter(effective_from__lte=at)


class Terms(models.Model):
    """One document (`slug`) in one version and language. A version is never edited after it took effect."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(_("document"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=16, default="en")
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(
        _("text"), help_text=_("Paragraphs divided by empty lines; a line that starts with ## is a heading, with - a list item.")
    )
    effective_from = models.DateTimeField(_("effective from"))

    objects: ClassVar[models.Manager[Terms]] = TermsQuerySet.as_manager()

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["slug", "version", "language"], name="accounts_terms_one_per_version"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="accounts_terms_version_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.version} ({self.language})"


class TermsAcceptance(models.Model):
    """Append-only: what was accepted stays accepted and provable."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="terms_acceptances")
    slug = models.SlugField(max_length=40)
    version = models.PositiveIntegerField()
    # The language that was read: a translation may say it differently.
    language = models.CharField(max_length=16)
    accepted_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = append_only("accounts_termsacceptance")
        verbose_name = _("acceptance of terms")
        verbose_name_plural = _("acceptances of terms")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "slug", "version"], name="accounts_acceptance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.slug} {self.version}"
