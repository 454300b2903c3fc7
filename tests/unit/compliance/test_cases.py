"""Four eyes: nobody decides alone, nobody decides about themselves, and the person learns nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Party, Person
from compliance.cases.services import case_open, case_propose, case_resolve
from compliance.errors import CaseClosed, CaseOwn, DecisionUnknown, NotScreenedYet
from compliance.models import Case, Clearance, Verdict
from compliance.screening import worker
from core import audit, clock
from core.errors import Forbidden, NotFound
from core.ids import uuid7
from core.models import AuditEntry, Event
from tests.unit.compliance.screening import load, row
from tests.unit.core.test_admin import verified

pytestmark = [pytest.mark.django_db, pytest.mark.screened]


def officer_of(name: str, *groups: str, staff: bool = True) -> Person:
    person = Person.objects.create_user(f"{name}@example.com", "a long pass phrase", name=name, is_staff=staff)
    person.groups.set(Group.objects.filter(name__in=groups))
    return person


@pytest.fixture
def now(db: None) -> datetime:
    return clock.now()


@pytest.fixture
def cora(db: None) -> Person:
    return officer_of("cora", "compliance")


@pytest.fixture
def carl(db: None) -> Person:
    return officer_of("carl", "compliance")


@pytest.fixture
def hit(tmp_path: Path, now: datetime) -> Case:
    load(tmp_path, row(2, "MADEUP, Mallory"), now=now)
    worker.party_screen(party_id=Party.objects.create(name="Mallory Madeup").id, now=now)
    return Case.objects.get()


class TestCasePropose:
    def test_two_release(self, hit: Case, cora: Person, carl: Person, now: datetime) -> None:
        first = case_propose(by=cora, case_id=hit.id, decision="release", note="Born 1999, not 1970.", now=now)
        assert (first.state, first.proposal, first.proposed_by) == ("open", "release", cora)
        second = case_propose(by=carl, case_id=hit.id, decision="release", now=now)
        assert (second.state, second.decided_by, second.closed_at) == ("released", carl, now)
        assert Verdict.objects.get().state == Verdict.State.CLEAR
        assert Clearance.objects.get().entry_id == "2"
        event = Event.objects.get(name="compliance.case.released")
        assert (event.party_id, event.data) == (hit.party_id, {"case_id": str(hit.id)})

    def test_two_block(self, hit: Case, cora: Person, carl: Person, now: datetime) -> None:
        for officer in (cora, carl):
            case = case_propose(by=officer, case_id=hit.id, decision="block", now=now)
        assert case.state == "blocked"
        assert Verdict.objects.get().state == Verdict.State.HIT
        assert Event.objects.filter(name="compliance.case.blocked").count() == 1

    def test_one_alone_cannot(self, hit: Case, cora: Person, now: datetime) -> None:
        for _ in range(3):
            case = case_propose(by=cora, case_id=hit.id, decision="release", now=now)
        assert case.state == "open"
        assert Verdict.objects.get().state == Verdict.State.HIT

    def test_the_database_refuses_one_alone_too(self, hit: Case, cora: Person, now: datetime) -> None:
        decided = {"state": "released", "proposal": "release", "proposed_at": now, "closed_at": now}
        with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
            Case.objects.filter(id=hit.id).update(**decided, proposed_by=cora, decided_by=cora)
        with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
            Case.objects.filter(id=hit.id).update(**decided, proposed_by=cora)

    def test_another_decision_takes_the_place_of_the_first(self, hit: Case, cora: Person, carl: Person, now: datetime) -> None:
        case_propose(by=cora, case_id=hit.id, decision="release", now=now)
        case = case_propose(by=carl, case_id=hit.id, decision="block", now=now)
        assert (case.state, case.proposal, case.proposed_by) == ("open", "block", carl)
        assert case_propose(by=cora, case_id=hit.id, decision="block", now=now).state == "blocked"

    def test_not_twice(self, hit: Case, cora: Person, carl: Person, now: datetime) -> None:
        for officer in (cora, carl):
            case_propose(by=officer, case_id=hit.id, decision="release", now=now)
        with pytest.raises(CaseClosed):
            case_propose(by=carl, case_id=hit.id, decision="block", now=now)

    @pytest.mark.parametrize(("groups", "staff"), [(["support"], True), (["operations"], True), ([], True), (["compliance"], False)])
    def test_only_by_staff_with_the_right(self, hit: Case, now: datetime, groups: list[str], staff: bool) -> None:
        with pytest.raises(Forbidden):
            case_propose(by=officer_of("other", *groups, staff=staff), case_id=hit.id, decision="release", now=now)

    def test_not_about_oneself(self, hit: Case, cora: Person, now: datetime) -> None:
        Membership.objects.create(party_id=hit.party_id, person=cora, role=Membership.Role.VIEWER)
        with pytest.raises(CaseOwn):
            case_propose(by=cora, case_id=hit.id, decision="release", now=now)

    def test_nobody_releases_who_is_not_screened(self, cora: Person, now: datetime) -> None:
        case = case_open(party_id=Party.objects.create(name="Anna Lind").id, reason=Case.Reason.MISSING, now=now)
        with pytest.raises(NotScreenedYet):
            case_propose(by=cora, case_id=case.id, decision="release", now=now)

    def test_unknown(self, hit: Case, cora: Person, now: datetime) -> None:
        with pytest.raises(NotFound):
            case_propose(by=cora, case_id=uuid7(), decision="release", now=now)
        with pytest.raises(DecisionUnknown):
            case_propose(by=cora, case_id=hit.id, decision="forget", now=now)

    def test_a_hit_found_later_voids_what_was_proposed_before(self, cora: Person, tmp_path: Path, now: datetime) -> None:
        mallory = Party.objects.create(name="Mallory Madeup")
        case = case_open(party_id=mallory.id, reason=Case.Reason.MISSING, now=now)
        case_propose(by=cora, case_id=case.id, decision="block", now=now)
        load(tmp_path, row(2, "MADEUP, Mallory"), now=now)
        worker.party_screen(party_id=mallory.id, now=now)
        case.refresh_from_db()
        assert (case.reason, case.proposal, case.proposed_by) == ("hit", "", None)


class TestCaseResolve:
    def test_only_what_waited_for_a_verdict(self, hit: Case, now: datetime) -> None:
        assert not case_resolve(party_id=hit.party_id, now=now)
        anna = Party.objects.create(name="Anna Lind")
        case_open(party_id=anna.id, reason=Case.Reason.MISSING, now=now)
        worker.party_screen(party_id=anna.id, now=now)
        assert Case.objects.get(party=anna).state == Case.State.RESOLVED
        assert Event.objects.filter(name="compliance.screening.cleared", party_id=anna.id).count() == 1


class TestAdmin:
    def decide(self, client: Client, case: Case, decision: str) -> int:
        return client.post(reverse("admin:compliance_case_change", args=[case.id]), {"decision": decision, "remark": "Seen."}).status_code

    def test_two_members_of_staff_release(self, hit: Case, cora: Person, carl: Person) -> None:
        one, other = verified(cora), verified(carl)
        page = one.get(reverse("admin:compliance_case_change", args=[hit.id])).content.decode()
        assert "MADEUP, Mallory" in page
        assert "Mallory Madeup" in page
        for _ in range(2):
            assert self.decide(one, hit, "release") == 302
        hit.refresh_from_db()
        assert hit.state == "open"
        self.decide(other, hit, "release")
        hit.refresh_from_db()
        assert (hit.state, hit.proposed_by, hit.decided_by) == ("released", cora, carl)
        assert hit.note.count("Seen.") >= 2

    def test_leads_to_the_payment_that_waits(self, hit: Case, cora: Person, now: datetime) -> None:
        payment, other = uuid4(), uuid4()
        hit.items.create(kind="payment", object_id=payment, added_at=datetime(2026, 3, 11, 12, 5, tzinfo=UTC))
        hit.items.create(kind="something", object_id=other, added_at=now)
        page = verified(cora).get(reverse("admin:compliance_case_change", args=[hit.id])).content.decode()
        assert (
            f'payment <a href="{reverse("admin:payments_payment_change", args=[payment])}">{payment}</a> (March 11, 2026, 12:05 p.m.)'
            in page
        )
        assert f"something {other} (" in page

    def test_a_decided_case_is_only_read(self, hit: Case, cora: Person, carl: Person, now: datetime) -> None:
        for officer in (cora, carl):
            case_propose(by=officer, case_id=hit.id, decision="block", now=now)
        client = verified(cora)
        assert client.get(reverse("admin:compliance_case_change", args=[hit.id])).status_code == 200
        assert self.decide(client, hit, "release") == 403

    @pytest.mark.parametrize("model", ["case", "verdict", "sanctionslist", "listentry"])
    def test_lists_open(self, hit: Case, cora: Person, model: str) -> None:
        client = verified(cora)
        for query in ("", f"?q={hit.party_id}", "?q=nothing"):
            assert client.get(reverse(f"admin:compliance_{model}_changelist") + query).status_code == 200

    @pytest.mark.parametrize("group", ["support", "operations"])
    @pytest.mark.parametrize("model", ["case", "verdict"])
    def test_others_see_nothing(self, hit: Case, group: str, model: str) -> None:
        client = verified(officer_of("other", group))
        assert client.get(reverse(f"admin:compliance_{model}_changelist")).status_code == 403
        assert client.get(reverse(f"admin:compliance_{model}_change", args=[hit.id])).status_code == 403
        assert self.decide(client, hit, "release") == 403

    def test_whoever_looks_leaves_a_trace_that_the_person_does_not_see(self, hit: Case, cora: Person) -> None:
        client = verified(cora)
        client.get(reverse("admin:compliance_case_change", args=[hit.id]))
        client.get(reverse("admin:compliance_verdict_change", args=[Verdict.objects.get().id]))
        seen = AuditEntry.objects.filter(action__endswith=".viewed", party_id=hit.party_id).values_list("action", flat=True)
        assert set(seen) == {"compliance.case.viewed", "compliance.screening.viewed"}
        assert not audit.entries_for(hit.party_id).exists()
