"""Signing up, changing one's details, closing the account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import values
from accounts.errors import AccountNotEmpty, EmailTaken, PasswordWrong, TermsRequired, ThemeUnknown
from accounts.models import Approval, Membership, Party, Person
from accounts.services.parties import handle_set
from accounts.services.sessions import sessions_end_all
from accounts.services.terms import terms_accept
from core import audit, events
from core.money import currency_check

ClosingCheck = Callable[[UUID], list[str]]
_closing_checks: list[ClosingCheck] = []


def closing_check_register(check: ClosingCheck) -> None:
    """
    Name a reason why a party cannot be closed yet: `check` gives texts for the person, none when nothing stands in the way.

    Called in hub/wiring.py only: this app cannot know what upper apps hold for a party.
    """
    if check not in _closing_checks:
        _closing_checks.append(check)


def closing_reasons(party_id: UUID) -> list[str]:
    return [str(reason) for check in _closing_checks for reason in check(party_id)]


@transaction.atomic
def person_sign_up(
    *,
    email: str,
    password: str | None,
    name: str,
    now: datetime,
    language: str = "en",
    time_zone: str = "UTC",
    home_currency: str = "EUR",
    accept_terms: bool = True,
    email_proved: bool = False,
    is_staff: bool = False,
) -> Person:
    """
    A person, the party that will own what they hold, and the membership that joins them, in one transaction.

    `email_proved` is for people made by the operator (demo, import): everybody else proves it by a code.

    :raises EmailTaken: some spelling of the address belongs to somebody.
    :raises InputInvalid: a value has the wrong shape (EmailInvalid, NameInvalid, ...).
    :raises TermsRequired: not accepted.
    """
    if not accept_terms:
        raise TermsRequired
    canonical, name = values.email_checked(email), values.name_checked(name)
    party = Party.objects.create(kind=Party.Kind.PERSON, name=name, created_at=now)
    try:
        with transaction.atomic():
            person = Person.objects.create_user(
                canonical,
                password,
                name=name,
                party=party,
                language=values.language_checked(language),
                time_zone=values.time_zone_checked(time_zone),
                home_currency=currency_check(home_currency),
                is_staff=is_staff,
                created_at=now,
            )
    except IntegrityError:
        raise EmailTaken from None
    _email_remember(person, proved=email_proved)
    terms_accept(person, now=now)
    audit.record("accounts.person.signed_up", actor=person, party_id=party.id, object_type="person", object_id=person.id)
    events.emit("accounts.person.signed_up", party_id=party.id, person_id=person.id, home_currency=person.home_currency)
    return person


def _email_remember(person: Person, *, proved: bool) -> None:
    from allauth.account.models import EmailAddress

    EmailAddress.objects.get_or_create(user=person, email=person.email, defaults={"primary": True, "verified": proved})


@transaction.atomic
def person_update(*, person: Person, now: datetime, **changes: Any) -> Person:
    """
    Change name, language, time_zone, home_currency, theme or hide_amounts; only those that are given.

    :raises InputInvalid: a value has the wrong shape.
    """
    checked = _checked(changes)
    changed = [field for field, value in checked.items() if getattr(person, field) != value]
    for field in changed:
        setattr(person, field, checked[field])
    if not changed:
        return person
    person.save(update_fields=changed)
    if "name" in changed:
        person.party.name = person.name
        person.party.save(update_fields=["name"])
    audit.record(
        "accounts.person.changed",
        actor=person,
        party_id=person.party_id,
        object_type="person",
        object_id=person.id,
        fields=",".join(changed),
    )
    events.emit("accounts.person.changed", party_id=person.party_id, person_id=person.id, fields=",".join(changed))
    return person


@transaction.atomic
def profile_save(*, person: Person, handle: str, now: datetime, **changes: Any) -> Person:
    """
    What the profile page saves: a person's details and the handle of their own party.

    :raises InputInvalid: a value has the wrong shape.
    :raises HandleTaken: another party's, now or ever, or reserved.
    """
    person_update(person=person, now=now, **changes)
    if values.handle_canonical(handle) != person.party.handle:
        person.party = handle_set(by=person, party_id=person.party_id, handle=handle, now=now)
    return person


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    checks: dict[str, Callable[[Any], Any]] = {
        "name": values.name_checked,
        "language": values.language_checked,
        "time_zone": values.time_zone_checked,
        "home_currency": currency_check,
        "theme": _theme_checked,
        "hide_amounts": bool,
    }
    unknown = set(changes) - set(checks)
    if unknown:
        raise TypeError(f"not a person's to change: {', '.join(sorted(unknown))}")
    return {field: checks[field](value) for field, value in changes.items()}


def _theme_checked(theme: str) -> str:
    if theme not in Person.Theme.values:
        raise ThemeUnknown
    return theme


@transaction.atomic
def account_close(*, person: Person, password: str, now: datetime) -> Person:
    """
    Close a person's own account: sessions end, the party is closed, nobody can sign in or pay them any more.

    :raises PasswordWrong: proof that it is them.
    :raises AccountNotEmpty: money is still there, or they are the last owner of something; `reasons` says what.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if not person.check_password(password):
        raise PasswordWrong
    reasons = closing_reasons(person.party_id) + _sole_ownerships(person, now)
    if reasons:
        raise AccountNotEmpty(reasons=reasons)
    Party.objects.filter(pk=person.party_id).update(state=Party.State.CLOSED, closed_at=now)
    Membership.objects.filter(person=person, active_to__isnull=True).update(active_to=now)
    Approval.objects.filter(person=person, state__in=[Approval.State.PENDING, Approval.State.CONFIRMED]).update(state=Approval.State.VOID)
    person.is_active, person.closed_at = False, now
    person.save(update_fields=["is_active", "closed_at"])
    sessions_end_all(person=person)
    audit.record("accounts.person.closed", actor=person, party_id=person.party_id, object_type="person", object_id=person.id)
    events.emit("accounts.person.closed", party_id=person.party_id, person_id=person.id)
    return person


def _sole_ownerships(person: Person, now: datetime) -> list[str]:
    from django.utils.translation import gettext

    owned = Membership.objects.filter(person=person, role=Membership.Role.OWNER, active_to__isnull=True).exclude(party_id=person.party_id)
    shared = Membership.objects.filter(party_id__in=owned.values("party_id"), role=Membership.Role.OWNER, active_to__isnull=True)
    others = set(shared.exclude(person=person).values_list("party_id", flat=True))
    return [
        gettext("You are the only owner of %(name)s. Name another owner or close it first.") % {"name": membership.party.name}
        for membership in owned.select_related("party")
        if membership.party_id not in others and membership.party.is_open
    ]


@transaction.atomic
def person_deactivate(*, person: Person, by: Person | None, now: datetime, reason: str) -> None:
    """Staff stop somebody from signing in; open sessions end at once. `reason` is a code."""
    Person.objects.filter(pk=person.pk).update(is_active=False)
    person.is_active = False
    sessions_end_all(person=person)
    audit.record(
        "accounts.person.deactivated", actor=by, party_id=person.party_id, object_type="person", object_id=person.id, reason=reason
    )
    events.emit("accounts.person.deactivated", party_id=person.party_id, person_id=person.id)
