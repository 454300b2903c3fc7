"""Submitting, changing, verifying and declining; the page, the API and staff's pages."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Person
from accounts.services import business_open, person_sign_up, terms_accept
from compliance.identity import services
from compliance.identity.errors import NotWaiting, TooManySubmissions
from compliance.identity.models import IdentityData, IdentityState
from compliance.identity.selectors import identity_current, same_document
from compliance.identity.services import IdentityRefused
from compliance.limits import level_for
from compliance.screening.worker import facts_of
from core import clock, events, privacy
from core.errors import Forbidden
from core.models import AuditEntry, Event
from tests.unit.api.conftest import bearer, session_api, token_for
from tests.unit.compliance.identity.test_checks import GOOD
from tests.unit.compliance.test_admin import clerk_of

PASSWORD = "copper lantern drifting"
FORM = {
    "legal_name": "Åsa Maria Lind", "birth_date": "1985-07-09", "street": "Storgatan 1", "postcode": "111 22", "city": "Stockholm",
    "country": "SE", "document_kind": "personal_number", "document_country": "SE", "document_number": "850709-9805",
}  # fmt: skip


def signed_up(name: str, **more: Any) -> Person:
    more = {"name": f"{name.title()} Lind", "email_proved": True, "now": clock.now(), **more}
    return person_sign_up(email=f"{name}@example.com", password=PASSWORD, **more)


@pytest.fixture
def asa(db: None) -> Person:
    person = signed_up("asa")
    events.relay()
    return person


@pytest.fixture
def officer(db: None) -> Person:
    return signed_up("officer", is_staff=True)


def client_of(person: Person) -> Client:
    terms_accept(person, now=clock.now())
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def submit(person: Person, **changes: Any) -> IdentityData:
    return services.identity_submit(by=person, submission=replace(GOOD, **changes), now=clock.now())


class TestSubmit:
    def test_gives_level_two_at_once(self, asa: Person) -> None:
        identity = submit(asa)
        assert (identity.state, identity.format_known, level_for(asa.party_id, clock.now())) == ("checked", True, 2)
        assert AuditEntry.objects.get(action="compliance.identity.submitted").actor_id == asa.id
        assert Event.objects.get(name="compliance.identity.checked").party_id == asa.party_id

    def test_keeps_nothing_of_what_is_refused(self, asa: Person) -> None:
        with pytest.raises(IdentityRefused) as caught:
            submit(asa, birth_date=date(1985, 7, 8), country="XX")
        assert [problem["field"] for problem in caught.value.extra["problems"]] == ["country", "document_number"]
        assert not IdentityData.objects.exists()
        assert level_for(asa.party_id, clock.now()) == 3

    def test_age_is_counted_by_the_hubs_clock_and_zone(self, asa: Person) -> None:
        young = replace(GOOD, birth_date=date(2008, 3, 11), document_kind="passport", document_number="AB123456")
        with pytest.raises(IdentityRefused):
            services.identity_submit(by=asa, submission=young, now=datetime(2026, 3, 10, 22, 59, tzinfo=UTC))
        # 23:30 in UTC is half past midnight in Stockholm: the birthday has begun there.
        services.identity_submit(by=asa, submission=young, now=datetime(2026, 3, 10, 23, 30, tzinfo=UTC))

    def test_again_changes_nothing_and_other_details_replace(self, asa: Person) -> None:
        first = submit(asa)
        assert submit(asa).id == first.id
        second = submit(asa, street="Lillgatan 2")
        first.refresh_from_db()
        assert (first.state, second.state) == (IdentityState.REPLACED, IdentityState.CHECKED)
        assert identity_current(asa.party_id) == second
        assert first.street == "Storgatan 1"

    def test_at_most_five_times_a_day(self, asa: Person) -> None:
        for number in range(5):
            submit(asa, street=f"Storgatan {number}")
        with pytest.raises(TooManySubmissions):
            submit(asa, street="Storgatan 9")
        services.identity_submit(by=asa, submission=replace(GOOD, street="Storgatan 9"), now=clock.now() + timedelta(days=2))

    def test_new_details_of_somebody_verified_have_to_be_verified_again(self, asa: Person, officer: Person) -> None:
        services.identity_verify(identity_id=submit(asa).id, by=officer, now=clock.now())
        assert level_for(asa.party_id, clock.now()) == 1
        submit(asa, street="Lillgatan 2")
        assert level_for(asa.party_id, clock.now()) == 2

    def test_is_encrypted(self, asa: Person) -> None:
        submit(asa)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT t::text || encode(legal_name, 'escape') || encode(birth_date_text, 'escape') || encode(street, 'escape')"
                " || encode(document_number, 'escape') || encode(city, 'escape') FROM compliance_identitydata t"
            )
            row = cursor.fetchone()[0]
        for text in ("Maria", "1985", "Storgatan", "9805", "Stockholm"):
            assert text not in row
        told = json.dumps([*Event.objects.values_list("data", flat=True), *AuditEntry.objects.values_list("data", flat=True)])
        assert "9805" not in told
        assert "Maria" not in told

    def test_adds_to_what_screening_knows(self, asa: Person) -> None:
        identity = submit(asa)
        facts = facts_of(asa.party)
        assert (facts.names, facts.birth_year, facts.country) == ((asa.party.name, "Åsa Maria Lind"), None, "")
        # What could clear somebody counts once staff have seen the document.
        officer = Person.objects.create_user("verifier@example.com", "a long pass phrase", is_staff=True)
        seen = {"state": "verified", "decided_at": clock.now(), "decided_by": officer}
        IdentityData.objects.filter(id=identity.id).update(**seen)
        facts = facts_of(asa.party)
        assert (facts.birth_year, facts.country) == (1985, "SE")

    def test_one_document_of_two_people_is_seen_by_staff(self, asa: Person) -> None:
        other = signed_up("bo")
        submit(asa)
        assert same_document(submit(other)) == 1

    def test_a_business_has_no_identity_details_of_its_own(self, asa: Person) -> None:
        shop = business_open(by=asa, name="Shop", now=clock.now())
        submit(asa)
        assert identity_current(shop.id) is None


class TestParallel:
    def test_two_submissions_at_once_leave_one_current(self, fresh_db: str) -> None:
        asa = signed_up("asa")
        start, failed = threading.Barrier(4), []

        def go(number: int) -> None:
            try:
                start.wait()
                submit(Person.objects.get(id=asa.id), street=f"Street {number}")
            except Exception as error:  # whatever it is, the test shows it
                failed.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert IdentityData.objects.filter(state="checked").count() == 1
        assert IdentityData.objects.count() == 4


class TestDecide:
    def test_verified_is_level_one(self, asa: Person, officer: Person) -> None:
        identity = services.identity_verify(identity_id=submit(asa).id, by=officer, note="Seen the passport", now=clock.now())
        assert (identity.state, identity.decided_by, level_for(asa.party_id, clock.now())) == ("verified", officer, 1)

    def test_declined_is_level_three_and_may_be_given_anew(self, asa: Person, officer: Person) -> None:
        services.identity_decline(identity_id=submit(asa).id, by=officer, reason="contradicts", note="Photo differs", now=clock.now())
        assert level_for(asa.party_id, clock.now()) == 3
        page = client_of(asa).get("/more/identity/").content.decode()
        assert "contradict the document" in page
        assert "Photo differs" not in page
        submit(asa)
        assert level_for(asa.party_id, clock.now()) == 2

    def test_is_for_staff_and_not_for_ones_own(self, asa: Person, officer: Person) -> None:
        identity, own = submit(asa), submit(officer)
        with pytest.raises(Forbidden):
            services.identity_verify(identity_id=identity.id, by=asa, now=clock.now())
        with pytest.raises(Forbidden):
            services.identity_verify(identity_id=own.id, by=officer, now=clock.now())

    def test_what_was_replaced_or_decided_waits_no_more(self, asa: Person, officer: Person) -> None:
        first = submit(asa)
        submit(asa, street="Lillgatan 2")
        with pytest.raises(NotWaiting):
            services.identity_verify(identity_id=first.id, by=officer, now=clock.now())

    def test_a_decline_is_told(self, asa: Person, officer: Person) -> None:
        from engagement.models import Notice

        services.identity_decline(identity_id=submit(asa).id, by=officer, reason="not_valid", now=clock.now())
        while events.relay():
            pass
        assert "identity_declined" in Notice.objects.filter(person=asa).values_list("kind", flat=True)


class TestPage:
    def test_from_the_form_to_what_is_held(self, asa: Person) -> None:
        client = client_of(asa)
        assert 'value="Asa Lind"' in client.get("/more/identity/").content.decode()
        answer = client.post("/more/identity/", FORM, follow=True)
        page = answer.content.decode()
        assert "Your details are checked" in page
        assert "•••• 805" in page
        assert "850709" not in page
        assert "Level 2" in client.get("/more/limits/").content.decode()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("legal_name", ""), ("legal_name", "1"), ("birth_date", ""), ("birth_date", "09/07/85"), ("birth_date", "2030-01-01"),
            ("birth_date", "1985-02-30"), ("birth_date", "0001-01-01"), ("birth_date", "99999-01-01"), ("street", ""), ("street", "..."),
            ("city", ""), ("country", "XX"), ("country", ""), ("document_kind", "library"), ("document_country", "UK"),
            ("document_number", ""), ("document_number", "850709-9806"), ("document_number", "x" * 400), ("document_number", "\x00"),
        ],
    )  # fmt: skip
    def test_refuses_at_the_field_and_keeps_what_was_typed(self, asa: Person, field: str, value: str) -> None:
        answer = client_of(asa).post("/more/identity/", {**FORM, field: value})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert f'href="#id_{field}' in page
        assert "Error:" in page
        assert 'value="Storgatan 1"' in page or field == "street"
        assert not IdentityData.objects.exists()

    def test_a_contradiction_is_shown_at_the_number(self, asa: Person) -> None:
        page = client_of(asa).post("/more/identity/", {**FORM, "birth_date": "1985-07-08"}).content.decode()
        assert "not the one you gave above" in page
        assert 'href="#id_document_number"' in page

    def test_is_locked_until_one_says_that_it_has_changed(self, asa: Person) -> None:
        client = client_of(asa)
        client.post("/more/identity/", FORM)
        assert "<form method" not in client.get("/more/identity/").content.decode().split('id="main"')[1]
        change = client.get("/more/identity/?change=1").content.decode()
        assert 'value="Storgatan 1"' in change
        assert "9805" not in change
        client.post("/more/identity/?change=1", {**FORM, "street": "Lillgatan 2"})
        assert IdentityData.objects.count() == 2

    def test_a_format_that_is_not_known_is_said(self, asa: Person) -> None:
        client = client_of(asa)
        page = client.post(
            "/more/identity/", {**FORM, "document_country": "JP", "document_number": "123456789012"}, follow=True
        ).content.decode()
        assert "do not know the format" in page

    def test_visitors_sign_in_first(self, db: None) -> None:
        assert Client().get("/more/identity/")["Location"].startswith("/auth/sign-in/")


class TestApi:
    def test_gives_and_reads_ones_own(self, asa: Person) -> None:
        api = session_api(asa)
        assert api.get("/identity").json()["state"] == "none"
        made = api.post("/identity", FORM)
        assert (made.status_code, made.json()["level"], made.json()["document_hint"]) == (201, 2, "•••• 805")
        assert api.get("/identity").json() == made.json()
        assert "Storgatan" not in made.content.decode()

    def test_says_every_problem(self, asa: Person) -> None:
        answer = session_api(asa).post("/identity", {**FORM, "country": "XX", "document_number": "850709-9806"})
        body = answer.json()
        assert (answer.status_code, body["code"]) == (422, "identity_refused")
        assert [problem["code"] for problem in body["problems"]] == ["country_unknown", "document_number_invalid"]

    @pytest.mark.parametrize(
        "change", [{"birth_date": "x"}, {"birth_date": None}, {"country": 7}, {"legal_name": ["a"]}, {"document_kind": "x"}]
    )
    def test_nonsense_is_refused(self, asa: Person, change: dict[str, Any]) -> None:
        assert session_api(asa).post("/identity", {**FORM, **change}).status_code == 422

    def test_is_closed_to_partners_and_strangers(self, asa: Person) -> None:
        from accounts.services import consent_grant, partner_create

        partner = partner_create(name="P", redirect_uris=["https://p.example/x"], party=signed_up("bo").party, now=clock.now()).application
        consent_grant(person=asa, application=partner, party_id=asa.party_id, scopes=["profile:read"], now=clock.now())
        for api in (bearer(token_for(partner, asa, "profile:read")), bearer(token_for(partner, None, "profile:read"))):
            for answer in (api.get("/identity"), api.post("/identity", FORM)):
                assert (answer.status_code, answer.json()["code"]) == (403, "own_session_required")
        assert bearer("nonsense").get("/identity").status_code == 401
        assert not IdentityData.objects.exists()


class TestStaff:
    def page(self, identity: IdentityData) -> str:
        return reverse("admin:compliance_identitydata_change", args=[identity.id])

    def test_compliance_sees_decides_and_leaves_a_trace(self, asa: Person) -> None:
        identity, client = submit(asa), clerk_of("compliance")
        listed = client.get(reverse("admin:compliance_identitydata_changelist")).content.decode()
        assert "Maria" not in listed
        page = client.get(self.page(identity)).content.decode()
        assert "Åsa Maria Lind" in page
        assert AuditEntry.objects.get(action="compliance.identity.viewed").party_id == asa.party_id
        client.post(self.page(identity), {"decision": "verify", "why": "", "remark": "Seen"})
        assert level_for(asa.party_id, clock.now()) == 1
        identity.refresh_from_db()
        assert (identity.state, identity.note) == ("verified", "Seen")
        assert "Your decision" not in client.get(self.page(identity)).content.decode()

    def test_a_decline_needs_a_reason(self, asa: Person) -> None:
        identity, client = submit(asa), clerk_of("compliance")
        answer = client.post(self.page(identity), {"decision": "decline", "why": "", "remark": ""})
        assert "Say why." in answer.content.decode()
        client.post(self.page(identity), {"decision": "decline", "why": "in_use", "remark": ""})
        assert level_for(asa.party_id, clock.now()) == 3

    @pytest.mark.parametrize("group", ["support", "operations"])
    def test_others_see_nothing(self, asa: Person, group: str) -> None:
        identity, client = submit(asa), clerk_of(group)
        assert client.get(reverse("admin:compliance_identitydata_changelist")).status_code == 403
        assert client.get(self.page(identity)).status_code == 403
        assert client.post(self.page(identity), {"decision": "verify"}).status_code == 403

    def test_people_are_sent_away(self, asa: Person) -> None:
        cache.clear()
        assert client_of(asa).get(self.page(submit(asa))).status_code == 302


class TestPrivacy:
    def test_handed_out_and_erased(self, asa: Person) -> None:
        submit(asa)
        assert privacy.export(asa.party_id)["compliance.identity"][0]["number"] == "850709-9805"
        privacy.erase(asa.party_id, now=clock.now())
        row = IdentityData.objects.get()
        assert (row.legal_name, row.document_number, row.document_index, row.country) == ("", "", None, "")
