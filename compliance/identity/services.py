"""Submitting identity data, and what staff decide about them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Party, Person
from compliance.identity.checks import Outcome, Submission, submission_check
from compliance.identity.errors import NotAPerson, NotWaiting, TooManySubmissions
from compliance.identity.models import DeclineReason, IdentityData, IdentityState
from compliance.identity.selectors import identity_current
from compliance.models import Level
from compliance.services import level_set
from core import audit, events
from core.errors import Forbidden, HubError

SUBMISSIONS_A_DAY = 5


class IdentityRefused(HubError):
    """Some of the details cannot be true; `problems` names each with its field."""

    code = "identity_refused"
    http_status = 422

    def __init__(self, problems: list[HubError]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(
            first.message,
            field=first.field,
            problems=[{"field": problem.field, "code": problem.code, "detail": str(problem.message)} for problem in problems],
        )


@transaction.atomic
def identity_submit(*, by: Person, submission: Submission, now: datetime) -> IdentityData:
    """
    Take a person's identity data, check them, and put the person at level 2.

    What was given before is replaced; a person whom staff had verified goes back to level 2, since it was the older data that
    they saw. The same details again change nothing. Emits `compliance.identity.checked`.

    :raises NotAPerson: `by` has no party of their own kind.
    :raises IdentityRefused: something cannot be true; nothing is kept.
    :raises TooManySubmissions: more than five in a day.
    """
    party = by.party
    if party.kind != Party.Kind.PERSON or not party.is_open:
        raise NotAPerson
    _lock(party.id)
    outcome = submission_check(submission, today=now.astimezone(ZoneInfo(settings.HUB_TIME_ZONE)).date())
    if outcome.problems:
        raise IdentityRefused(outcome.problems)
    current = identity_current(party.id)
    if current is not None and submission_of(current) == outcome.said:
        return current
    if IdentityData.objects.filter(party=party, submitted_at__gt=now - timedelta(days=1)).count() >= SUBMISSIONS_A_DAY:
        raise TooManySubmissions
    if current is not None:
        IdentityData.objects.filter(pk=current.pk).update(state=IdentityState.REPLACED)
    identity = _keep(party, by, outcome, now)
    audit.record(
        "compliance.identity.submitted",
        actor=by,
        party_id=party.id,
        object_type="identity",
        object_id=identity.id,
        replaces=current.id if current else None,
        format_known=outcome.format_known,
    )
    level_set(party_id=party.id, level=Level.IDENTITY, by=None, reason="identity_checked", now=now)
    events.emit("compliance.identity.checked", party_id=party.id, identity_id=identity.id)
    return identity


def _keep(party: Party, by: Person, outcome: Outcome, now: datetime) -> IdentityData:
    values = asdict(outcome.said)
    born = values.pop("birth_date")
    return IdentityData.objects.create(
        party=party, submitted_by=by, birth_date_text=born.isoformat(), format_known=outcome.format_known, submitted_at=now, **values
    )


def submission_of(identity: IdentityData) -> Submission:
    fields = ("legal_name", "country", "street", "postcode", "city", "document_kind", "document_country", "document_number")
    return Submission(birth_date=date.fromisoformat(identity.birth_date_text), **{field: getattr(identity, field) for field in fields})


@transaction.atomic
def identity_verify(*, identity_id: UUID, by: Person, note: str = "", now: datetime) -> IdentityData:
    """
    Staff have seen the document and it agrees: level 1.

    :raises Forbidden: `by` is not staff, or it is their own.
    :raises NotWaiting: replaced or decided meanwhile.
    """
    identity = _decide(identity_id, by, IdentityState.VERIFIED, "", note, now)
    level_set(party_id=identity.party_id, level=Level.VERIFIED, by=by, reason="identity_verified", now=now)
    return identity


@transaction.atomic
def identity_decline(*, identity_id: UUID, by: Person, reason: str, note: str = "", now: datetime) -> IdentityData:
    """
    Staff do not believe it: back to level 3. The person is told the reason's words, never the note.

    :raises Forbidden: `by` is not staff, or it is their own.
    :raises NotWaiting: replaced or decided meanwhile.
    """
    identity = _decide(identity_id, by, IdentityState.DECLINED, DeclineReason(reason), note, now)
    level_set(party_id=identity.party_id, level=Level.EMAIL, by=by, reason="identity_declined", now=now)
    events.emit("compliance.identity.declined", party_id=identity.party_id, identity_id=identity.id, reason=reason)
    return identity


def _decide(identity_id: UUID, by: Person, state: IdentityState, reason: str, note: str, now: datetime) -> IdentityData:
    if not (by.is_staff and by.is_active):
        raise Forbidden
    identity = IdentityData.objects.select_for_update().filter(id=identity_id, state=IdentityState.CHECKED).first()
    if identity is None:
        raise NotWaiting
    if identity.party_id == by.party_id:
        raise Forbidden
    identity.state, identity.decided_at, identity.decided_by, identity.reason = state, now, by, reason
    identity.note = note.strip()[:1000]
    identity.save(update_fields=["state", "decided_at", "decided_by", "reason", "note"])
    audit.record(
        f"compliance.identity.{state.value}",
        actor=by,
        party_id=identity.party_id,
        object_type="identity",
        object_id=identity.id,
        reason=reason,
    )
    return identity


def _lock(party_id: UUID) -> None:
    """Two submissions of one person at the same moment: the second sees the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"compliance:identity:{party_id}"])
