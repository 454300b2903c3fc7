"""Lists with versions, verdicts of parties, and who may say that they are as they are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Party, Person
from accounts.services import business_open, person_sign_up, person_update
from compliance.cases.services import case_open
from compliance.identity.models import IdentityData
from compliance.identity.services import identity_submit
from compliance.models import Case, Clearance, ListEntry, ListName, SanctionsList, Verdict
from compliance.screening import holder, worker
from compliance.screening.selectors import Standing, verdict_for
from core import audit, clock, due
from core.models import AuditEntry, DueWork, Event
from formats.lists import ListRefused
from tests.databases import ROOT
from tests.unit.compliance.identity.test_checks import GOOD
from tests.unit.compliance.screening import load, row, settle, write

pytestmark = pytest.mark.screened
EVE, MALLORY = row(1, "EXAMPLE, Eve"), row(2, "MADEUP, Mallory", remarks="DOB 1970.")


@pytest.fixture
def now(db: None) -> datetime:
    return clock.now()


def party(name: str, kind: str = Party.Kind.PERSON) -> Party:
    return Party.objects.create(name=name, kind=kind)


def identity_submitted(person: Person, legal_name: str, now: datetime) -> IdentityData:
    return identity_submit(by=person, submission=replace(GOOD, legal_name=legal_name), now=now)


def state(of: Party, now: datetime) -> Standing:
    return verdict_for(of.id, now).state


@pytest.mark.django_db
class TestListLoad:
    def test_makes_a_version_active(self, tmp_path: Path, now: datetime) -> None:
        loaded = load(tmp_path, EVE, MALLORY, now=now)
        assert (loaded.entries, loaded.names, loaded.added, loaded.removed, loaded.changed) == (2, 2, 2, 0, 0)
        assert SanctionsList.objects.get().active
        assert Event.objects.filter(name="compliance.list.changed").count() == 1

    def test_counts_what_is_another(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, EVE, MALLORY, now=now)
        loaded = load(tmp_path, row(2, "MADEUP, Mallory Ann"), row(3, "NEMO, Nobody"), now=now)
        assert (loaded.added, loaded.removed, loaded.changed) == (1, 1, 1)
        assert list(SanctionsList.objects.order_by("id").values_list("active", flat=True)) == [False, True]

    def test_the_same_again_changes_nothing(self, tmp_path: Path, now: datetime) -> None:
        first = load(tmp_path, EVE, now=now)
        again = load(tmp_path, EVE, now=now)
        assert (again.version, again.added, again.activated) == (first.version, 0, False)
        assert SanctionsList.objects.count() == 1

    def test_a_broken_file_leaves_the_old_version_active(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, EVE, MALLORY, now=now)
        with pytest.raises(ListRefused):
            load(tmp_path, EVE, MALLORY[:-4], now=now)
        assert SanctionsList.objects.get(active=True).entries_count == 2
        assert ListName.objects.count() == 2

    def test_two_versions_keep_their_entries(self, tmp_path: Path, now: datetime) -> None:
        for number in range(4):
            load(tmp_path, row(number, f"EXAMPLE, E{'v' * number}e"), now=now)
        assert SanctionsList.objects.count() == 4
        assert ListEntry.objects.count() == ListName.objects.count() == 2

    def test_the_demo_list_is_whole(self, now: datetime) -> None:
        from compliance.screening.lists import DEMO_LIST, list_load

        assert list_load(source="demo", path=DEMO_LIST, now=now).entries == 9
        index = holder.current().index
        found = [index.search(name, schema="Person")[0].entry.entry_id for name in ("Malory Madeup", "Маллори Мадеуп", "F. Fictitious")]
        assert found == ["1", "1", "2"]


@pytest.mark.django_db
class TestVerdicts:
    def test_nobody_is_clear_before_a_list_is_loaded(self, now: datetime) -> None:
        anna = party("Anna Lind")
        assert worker.party_screen(party_id=anna.id, now=now) is None
        assert state(anna, now) is Standing.MISSING

    def test_a_name_on_the_list_is_a_hit_with_reasons_and_a_case(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, EVE, MALLORY, now=now)
        mallory, anna = party("Malory Madeup"), party("Anna Lind")
        for one in (mallory, anna):
            worker.party_screen(party_id=one.id, now=now)
        assert (state(mallory, now), state(anna, now)) == (Standing.HIT, Standing.CLEAR)
        verdict = Verdict.objects.get(party=mallory)
        assert "MADEUP, Mallory" in verdict.matches
        stored: Any = Verdict.objects.filter(party=mallory).values_list("matches", flat=True)[0]
        assert b"MADEUP" not in bytes(stored)
        assert Case.objects.get().reason == Case.Reason.HIT
        assert not audit.entries_for(mallory.id).exists()

    def test_screening_again_opens_no_second_case(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, MALLORY, now=now)
        mallory = party("Mallory Madeup")
        for _ in range(2):
            worker.party_screen(party_id=mallory.id, now=now)
        assert Case.objects.count() == 1
        assert AuditEntry.objects.filter(action="compliance.screening.verdict").count() == 1

    def test_a_company_is_compared_with_companies(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, MALLORY, row(5, "MADEUP HOLDINGS LIMITED", ""), now=now)
        company, person = party("Madeup Holdings Ltd", Party.Kind.BUSINESS), party("Madeup Holdings Ltd")
        for one in (company, person):
            worker.party_screen(party_id=one.id, now=now)
        assert (state(company, now), state(person, now)) == (Standing.HIT, Standing.CLEAR)

    def test_are_asked_for_at_sign_up_and_when_a_name_changes(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, MALLORY, now=now)
        person = person_sign_up(email="m@example.com", password="a long pass phrase", name="Anna Lind", now=now)
        assert verdict_for(person.party_id, now).state is Standing.MISSING
        settle()
        assert verdict_for(person.party_id, now).state is Standing.CLEAR

        person_update(person=person, language="en", time_zone="Europe/Berlin", now=now)
        settle()
        assert verdict_for(person.party_id, now).state is Standing.CLEAR

        person_update(person=person, name="Mallory Madeup", now=now)
        from core import events

        events.relay()
        assert verdict_for(person.party_id, now).state is Standing.MISSING
        settle()
        assert verdict_for(person.party_id, now).state is Standing.HIT

        business = business_open(by=person, name="Good Bakery", now=now)
        settle()
        assert state(business, now) is Standing.CLEAR

    def test_look_for_the_legal_name_too(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, MALLORY, now=now)
        person = Person.objects.create_user("m@example.com", "a long pass phrase", name="Anna Lind")
        worker.party_screen(party_id=person.party_id, now=now)
        assert verdict_for(person.party_id, now).state is Standing.CLEAR

        identity_submitted(person, "Mallory Madeup", now)
        assert Event.objects.filter(name="compliance.identity.checked").exists()
        settle()
        assert verdict_for(person.party_id, now).state is Standing.HIT

    @pytest.mark.parametrize(("state", "standing"), [("checked", Standing.HIT), ("verified", Standing.CLEAR)])
    def test_another_birth_date_clears_once_staff_have_seen_it(self, tmp_path: Path, now: datetime, state: str, standing: Standing) -> None:
        load(tmp_path, MALLORY, now=now)
        person = Person.objects.create_user("m@example.com", "a long pass phrase", name="Mallory Madeup")
        identity = identity_submitted(person, "Mallory Madeup", now)
        if state == "verified":
            officer = Person.objects.create_user("o@example.com", "a long pass phrase", is_staff=True)
            type(identity).objects.filter(id=identity.id).update(state=state, decided_at=now, decided_by=officer)
        worker.party_screen(party_id=person.party_id, now=now)
        assert verdict_for(person.party_id, now).state is standing

    def test_another_name_does_not_leave_a_hit(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, MALLORY, now=now)
        mallory = party("Mallory Madeup")
        worker.party_screen(party_id=mallory.id, now=now)
        Party.objects.get(id=mallory.id)
        mallory.name = "Anna Lind"
        mallory.save()
        worker.party_screen(party_id=mallory.id, now=now)
        assert state(mallory, now) is Standing.HIT
        assert Case.objects.get().state == Case.State.OPEN

    def test_a_changed_list_has_everybody_screened_again(self, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker, "BATCH", 2)
        load(tmp_path, EVE, now=now)
        people = [party(name) for name in ("Anna Lind", "Bo Ek", "Mallory Madeup", "Dana Dunn", "Erik Alm")]
        settle()
        assert {state(one, now) for one in people} == {Standing.CLEAR}
        load(tmp_path, EVE, MALLORY, now=now)
        settle()
        assert [state(one, now) for one in people] == [Standing.CLEAR, Standing.CLEAR, Standing.HIT, Standing.CLEAR, Standing.CLEAR]

    def test_that_cannot_be_made_keep_no_others(self, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        load(tmp_path, EVE, now=now)
        first, second = party("Anna Lind"), party("Bo Ek")
        real = worker.facts_of
        monkeypatch.setattr(worker, "facts_of", lambda of: 1 / 0 if of.id == first.id else real(of))
        settle()
        assert (state(first, now), state(second, now)) == (Standing.MISSING, Standing.CLEAR)

    def test_are_good_for_a_grace_after_a_list_changed(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, EVE, now=now)
        anna = party("Anna Lind")
        settle()
        load(tmp_path, EVE, MALLORY, now=now)
        load(tmp_path, MALLORY, now=now + timedelta(minutes=9))
        assert state(anna, now + timedelta(minutes=10)) is Standing.CLEAR
        # The first change that it has not seen counts: loading again and again keeps no old verdict alive.
        assert state(anna, now + timedelta(minutes=11)) is Standing.STALE
        settle()
        assert state(anna, now + timedelta(minutes=11)) is Standing.CLEAR

    def test_are_read_with_one_query(self, tmp_path: Path, now: datetime, django_assert_num_queries) -> None:
        from compliance.screening.selectors import verdicts_for

        people = [party("Anna Lind"), party("Bo Ek")]
        with django_assert_num_queries(1):
            verdicts_for([one.id for one in people], now)

    def test_are_not_made_for_the_erased(self, tmp_path: Path, now: datetime) -> None:
        from core import privacy

        load(tmp_path, MALLORY, now=now)
        mallory = party("Mallory Madeup")
        worker.party_screen(party_id=mallory.id, now=now)
        assert set(privacy.export(mallory.id)["compliance.screening"]) == {"screened_at"}
        privacy.erase(mallory.id, now=now)
        assert worker.party_screen(party_id=mallory.id, now=now) is None
        assert Verdict.objects.get(party=mallory).matches == ""


@pytest.mark.django_db
class TestTheScreeningProcess:
    def test_alone_does_its_work(self, tmp_path: Path, now: datetime) -> None:
        load(tmp_path, EVE, now=now)
        due.sweep()
        assert DueWork.objects.get(kind="compliance.screen_all").state == "waiting"
        due.sweep(queue="screening")
        assert DueWork.objects.get(kind="compliance.screen_all").state == "done"

    def test_alone_holds_the_index(self) -> None:
        code = (
            "import django, sys; django.setup(); import hub.urls, hub.celery, hub.wiring; hub.celery.app.loader.import_default_modules();"
            " from django.urls import get_resolver; get_resolver().url_patterns; from django.contrib import admin; admin.autodiscover();"
            " print([name for name in sys.modules if name.startswith('compliance.screening.') and name.rpartition('.')[2] in"
            " ('index', 'holder', 'worker', 'scorer')])"
        )
        import os

        run = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "hub.settings"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.django_db
class TestClearances:
    def test_hold_for_the_entry_and_the_name_as_they_were(self, tmp_path: Path, now: datetime) -> None:
        from compliance.screening.verdicts import verdict_release

        load(tmp_path, MALLORY, now=now)
        mallory = party("Mallory Madeup")
        worker.party_screen(party_id=mallory.id, now=now)
        verdict_release(mallory.id, case_id=Case.objects.get().id, now=now)
        Case.objects.update(state=Case.State.RESOLVED, closed_at=now)
        assert (state(mallory, now), Clearance.objects.count()) == (Standing.CLEAR, 1)
        worker.party_screen(party_id=mallory.id, now=now)
        assert state(mallory, now) is Standing.CLEAR

        # The entry becomes another: asked again.
        load(tmp_path, row(2, "MADEUP, Mallory", remarks="DOB 1971."), now=now)
        worker.party_screen(party_id=mallory.id, now=now)
        assert state(mallory, now) is Standing.HIT


def test_files_of_the_test_lists_are_ofac_like(tmp_path: Path) -> None:
    from formats.lists import ofac_read

    assert [entry.schema for entry in ofac_read(write(tmp_path, MALLORY, row(9, "SHIP", "vessel")))] == ["Person", "Vessel"]


def test_the_screening_process_is_woken_by_its_own_queue(fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from core import wake

    woken: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(wake, "_send", lambda task, **where: woken.append((task, where)))
    case_open(party_id=party("Anna Lind").id, reason=Case.Reason.MISSING, now=clock.now())
    assert ("core.due_sweep", {"queue": "screening"}) in woken
