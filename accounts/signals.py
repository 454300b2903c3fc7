"""What allauth and Django tell us about signing in, written to the audit log; never codes, addresses or names."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as allauth_signals
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import known_devices, sessions
from accounts.models import Person
from accounts.services import device_seen, sessions_end_all, sessions_end_others
from core import audit, clock, events


def _record(action: str, person: Person, **data: str) -> None:
    audit.record(action, actor=person, party_id=person.party_id, object_type="person", object_id=person.id, **data)


@transaction.atomic
def _record_and_tell(action: str, person: Person) -> None:
    _record(action, person)
    events.emit(action, party_id=person.party_id, person_id=person.id)


@receiver(user_logged_in)
def signed_in(sender: Any, request: HttpRequest, user: Person, **_: Any) -> None:
    agent = request.headers.get("User-Agent", "")[:300]
    request.session[sessions.DEVICE_KEY] = agent
    device_seen(person=user, token=known_devices.token_of(request), agent=agent, now=clock.now())
    _record("accounts.session.started", user)


@receiver(user_logged_out)
def signed_out(sender: Any, request: HttpRequest, user: Person | None, **_: Any) -> None:
    if user is not None:
        _record("accounts.session.closed", user)


@receiver(allauth_signals.password_changed)
def password_changed(sender: Any, request: HttpRequest, user: Person, **_: Any) -> None:
    sessions_end_others(person=user, current_key=request.session.session_key or "")
    _record_and_tell("accounts.password.changed", user)


@receiver(allauth_signals.password_reset)
def password_reset(sender: Any, request: HttpRequest, user: Person, **_: Any) -> None:
    sessions_end_all(person=user)
    _record_and_tell("accounts.password.reset", user)


@receiver(allauth_signals.email_changed)
def email_changed(sender: Any, request: HttpRequest, user: Person, **_: Any) -> None:
    _record_and_tell("accounts.email.changed", user)


@receiver(allauth_signals.email_confirmed)
def email_confirmed(sender: Any, request: HttpRequest, email_address: Any, **_: Any) -> None:
    _record("accounts.email.proved", email_address.user)
