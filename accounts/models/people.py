"""Who uses the hub (Person) and who owns things in it (Party)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.emails import email_canonical
from core import clock
from core.crypto import BlindIndexField, EncryptedTextField
from core.ids import uuid7

if TYPE_CHECKING:
    from datetime import datetime

HANDLE_INDEX = "accounts.party.handle"


class Party(models.Model):  # type: ignore[django-manager-missing]  # django-otp and the OAuth toolkit have no types
    """Everything that is owned is owned by a party."""

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        BUSINESS = "business", _("Business")
        HOUSEHOLD = "household", _("Household")

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.PERSON)
    name = EncryptedTextField(owner="id", verbose_name=_("name"))
    handle = EncryptedTextField(owner="id", verbose_name=_("handle"), blank=True, default="")
    handle_index = BlindIndexField(source="handle")
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["handle_index"], name="accounts_party_handle_unique"),
            models.CheckConstraint(
                condition=models.Q(state="active", closed_at__isnull=True) | models.Q(state="closed", closed_at__isnull=False),
                name="accounts_party_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_open(self) -> bool:
        return self.state == self.State.ACTIVE


class PersonManager(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email=email_canonical(username or ""))

    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        """A person with the party that owns what they hold. Sign-up itself is `services.person_sign_up`."""
        name = fields.pop("name", "") or email.partition("@")[0]
        party = fields.pop("party", None) or Party.objects.create(kind=Party.Kind.PERSON, name=name)
        person = self.model(email=email_canonical(email), name=name, party=party, **fields)
        person.set_password(password)
        person.save(using=self._db)
        Membership.objects.get_or_create(
            party=party, person=person, active_to=None, defaults={"role": Membership.Role.OWNER, "active_from": person.created_at}
        )
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Person:
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class Person(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]
    """
    A human being who signs in.

    `email` is kept in clear because signing in looks it up (docs/people.md); it is always in canonical form,
    so that every spelling of one address is one person.
    """

    class Theme(models.TextChoices):
        SYSTEM = "system", _("Same as the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.OneToOneField(Party, on_delete=models.PROTECT, related_name="person", editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    name = EncryptedTextField(owner="party_id", verbose_name=_("name"))
    language = models.CharField(_("language"), max_length=16, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    home_currency = models.CharField(_("home currency"), max_length=3, default="EUR")
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.SYSTEM)
    hide_amounts = models.BooleanField(_("hide amounts"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # The service canonicalises; the database refuses whatever did not pass through it.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_person_email_lower"),
            models.CheckConstraint(condition=models.Q(email__regex=r"^[\x21-\x7e]+$"), name="accounts_person_email_ascii"),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | models.Q(is_active=False), name="accounts_person_closed_is_inactive"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Few rows: whoever signed in once has left it. Read every hour for sign-ups that nobody proved.
            models.Index(
                fields=["created_at", "id"],
                name="accounts_person_never_in",
                condition=models.Q(last_login__isnull=True, is_active=True, is_staff=False),
            ),
        ]

    def __str__(self) -> str:
        # Shown in logs and admin history, which keep ids only.
        return str(self.id)

    def clean(self) -> None:
        self.email = email_canonical(self.email)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self, at: datetime) -> MembershipQuerySet:
        return self.filter(models.Q(active_to__isnull=True) | models.Q(active_to__gt=at), active_from__lte=at)

    def of(self, person: Person | UUID) -> MembershipQuerySet:
        return self.filter(person=person)


class Membership(models.Model):
    """A person acts for a party from `active_from` up to, and not including, `active_to`."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        ADMIN = "admin", _("Administrator")
        MEMBER = "member", _("Member")
        VIEWER = "viewer", _("Viewer")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)
    active_from = models.DateTimeField(default=clock.now)
    active_to = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Membership]] = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["party", "person"], condition=models.Q(active_to__isnull=True), name="accounts_membership_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(active_to__isnull=True) | models.Q(active_to__gte=models.F("active_from")),
                name="accounts_membership_period",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.party_id}"
