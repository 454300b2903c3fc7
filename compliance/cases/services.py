"""Opening, deciding and settling cases. Four eyes: what one member of staff proposes, another one decides."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Membership, Person
from compliance.cases.models import Case, CaseItem, Decision
from compliance.errors import CaseClosed, CaseOwn, DecisionUnknown, NotScreenedYet
from compliance.screening import verdicts
from core import audit, events
from core.errors import Forbidden, NotFound

RIGHT = "compliance.change_case"
NOTE_MAX = 2000


@transaction.atomic
def case_open(*, party_id: UUID, reason: str, now: datetime, kind: str = "", object_id: UUID | None = None) -> Case:
    """
    The party's open case, opened if there is none, with `object_id` (a payment) added to what waits for it.

    A case that was opened for want of a verdict becomes one about a hit when there is one; a proposal that was made before is
    void then. Where the verdict is missing or old, the party is put in line for screening, which settles the case.
    Emits `compliance.case.opened`.
    """
    _lock(party_id)
    case = Case.objects.select_for_update().filter(party_id=party_id, state=Case.State.OPEN).first()
    if case is None:
        case = Case.objects.create(party_id=party_id, reason=reason, opened_at=now)
        _record("opened", case, None, reason=reason)
        events.emit("compliance.case.opened", party_id=party_id, case_id=case.id, reason=str(reason))
    elif reason == Case.Reason.HIT and case.reason != Case.Reason.HIT:
        case.reason = Case.Reason.HIT
        case.proposal, case.proposed_by, case.proposed_at = "", None, None
        case.save(update_fields=["reason", "proposal", "proposed_by", "proposed_at"])
        _record("became_hit", case, None)
    if object_id is not None:
        CaseItem.objects.get_or_create(case=case, kind=kind, object_id=object_id, defaults={"added_at": now})
    if case.reason != Case.Reason.HIT:
        # In this transaction, so that a verdict that comes at the same moment cannot miss what has just been held.
        verdicts.screening_ask(party_id, cause=f"{case.id}:{object_id}", now=now)
    return case


@transaction.atomic
def case_propose(*, by: Person, case_id: UUID, decision: str, note: str = "", now: datetime) -> Case:
    """
    Say what should become of a case. The first one's word is a proposal; when somebody else says the same, it is decided.
    Another decision takes the place of the proposal. Emits `compliance.case.released` or `compliance.case.blocked`.

    :raises NotFound: no such case.
    :raises Forbidden: not staff with the right to decide cases.
    :raises CaseOwn: it is about a party that they act for.
    :raises CaseClosed: it is decided.
    :raises NotScreenedYet: it waits for screening only, which nobody but the screening process can do.
    :raises DecisionUnknown: neither release nor block.
    """
    if not (by.is_active and by.is_staff and by.has_perm(RIGHT)):
        raise Forbidden()
    if decision not in Decision.values:
        raise DecisionUnknown()
    party_id = Case.objects.filter(id=case_id).values_list("party_id", flat=True).first()
    if party_id is None:
        raise NotFound()
    _lock(party_id)
    case = Case.objects.select_for_update().get(id=case_id)
    if Membership.objects.filter(party_id=party_id, person=by).exists():
        raise CaseOwn()
    if case.state != Case.State.OPEN:
        raise CaseClosed()
    if case.reason != Case.Reason.HIT and decision == Decision.RELEASE:
        raise NotScreenedYet()
    if note.strip():
        case.note = f"{case.note}\n{now:%Y-%m-%d %H:%M} {by.id}: {note.strip()[:NOTE_MAX]}".strip()
    if case.proposal == decision and case.proposed_by_id != by.id:
        return _decide(case, by, Decision(decision), now)
    if case.proposal != decision:
        case.proposal, case.proposed_by, case.proposed_at = decision, by, now
        _record("proposed", case, by, decision=decision)
    case.save()
    return case


def _decide(case: Case, by: Person, decision: Decision, now: datetime) -> Case:
    case.state = Case.State.RELEASED if decision is Decision.RELEASE else Case.State.BLOCKED
    case.decided_by, case.closed_at = by, now
    case.save()
    if decision is Decision.RELEASE:
        verdicts.verdict_release(case.party_id, case_id=case.id, now=now)
    _record(case.state, case, by)
    events.emit(f"compliance.case.{case.state}", party_id=case.party_id, case_id=case.id)
    return case


@transaction.atomic
def case_resolve(*, party_id: UUID, now: datetime) -> bool:
    """Close the case that only waited for a verdict, now that there is a clear one. True if there was such a case."""
    _lock(party_id)
    case = Case.objects.select_for_update().filter(party_id=party_id, state=Case.State.OPEN).exclude(reason=Case.Reason.HIT).first()
    if case is None:
        return False
    case.state, case.closed_at = Case.State.RESOLVED, now
    case.save(update_fields=["state", "closed_at"])
    _record("resolved", case, None)
    return True


def _record(what: str, case: Case, by: Person | None, **data: str) -> None:
    audit.record(f"compliance.case.{what}", actor=by, party_id=case.party_id, object_type="case", object_id=case.id, **data)


def _lock(party_id: UUID) -> None:
    """Those who open and those who settle a party's case wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"compliance:case:{party_id}"])
