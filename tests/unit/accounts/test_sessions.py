from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import devices, selectors, services
from accounts.models import Person, Session
from accounts.sessions import SessionStore, key_hash
from core import clock
from core.errors import NotFound
from tests.unit.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def signed_in(person: Person, agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    return client


class TestSessionStore:
    def test_the_table_shows_neither_key_nor_payload(self) -> None:
        store = SessionStore()
        store["account_email_verification_code"] = {"code": "481516", "email": "marker@example.com"}
        store.save()
        with connection.cursor() as cursor:
            cursor.execute("SELECT key_hash, payload FROM accounts_session")
            ((stored_key, payload),) = cursor.fetchall()
        assert bytes(stored_key) == key_hash(store.session_key or "")
        for secret in (b"481516", b"marker@example.com", (store.session_key or "").encode()):
            assert secret not in bytes(payload) + bytes(stored_key)
        assert SessionStore(store.session_key)["account_email_verification_code"]["code"] == "481516"

    def test_a_payload_pasted_into_another_row_opens_nothing(self, asa: Person, bo: Person) -> None:
        victim, thief = signed_in(bo), signed_in(asa)
        stolen = Session.objects.get(person=bo).payload
        Session.objects.filter(person=asa).update(payload=stolen)
        assert thief.get(reverse("profile")).status_code == 302
        assert victim.get(reverse("profile")).status_code == 200

    def test_an_unknown_key_is_not_adopted(self) -> None:
        store = SessionStore("x" * 32)
        store["a"] = 1
        store.save()
        assert store.session_key != "x" * 32

    def test_ends_by_itself(self, asa: Person) -> None:
        client = signed_in(asa)
        Session.objects.update(expires_at=clock.now() - timedelta(seconds=1))
        assert client.get(reverse("profile")).status_code == 302
        assert SessionStore.clear_expired() == 1

    def test_ended_elsewhere_it_does_not_come_back_by_being_saved(self, asa: Person) -> None:
        client = signed_in(asa)
        store = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
        store["touched"] = True
        services.sessions_end_all(person=asa)
        with pytest.raises(UpdateError):
            store.save()
        assert not Session.objects.exists()


class TestSessionsPage:
    def test_lists_devices_and_marks_this_one(self, asa: Person, bo: Person) -> None:
        here = signed_in(asa)
        signed_in(asa, "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1")
        signed_in(bo)
        page = here.get(reverse("sessions")).text
        assert page.count("This one") == 1
        assert "Firefox on Linux" in page
        assert "Safari on iPhone" in page
        assert page.count('class="row-title"') == 2

    def test_one_is_ended(self, asa: Person) -> None:
        here, there = signed_in(asa), signed_in(asa)
        (other,) = [
            row for row in selectors.sessions_for(asa, current_key=here.cookies[settings.SESSION_COOKIE_NAME].value) if not row.is_current
        ]
        assert here.post(reverse("session_end", args=[other.id])).status_code == 302
        assert there.get(reverse("profile")).status_code == 302
        assert here.get(reverse("profile")).status_code == 200

    def test_all_others_are_ended(self, asa: Person, bo: Person) -> None:
        here, there, stranger = signed_in(asa), signed_in(asa), signed_in(bo)
        here.post(reverse("sessions_end_others"))
        assert [client.get(reverse("profile")).status_code for client in (here, there, stranger)] == [200, 302, 200]

    def test_nobody_ends_somebody_elses(self, asa: Person, bo: Person) -> None:
        mine, theirs = signed_in(asa), signed_in(bo)
        victim = Session.objects.get(person=bo)
        assert mine.post(reverse("session_end", args=[victim.id])).status_code == 404
        assert theirs.get(reverse("profile")).status_code == 200
        with pytest.raises(NotFound):
            services.session_end(person=asa, session_id=victim.id)

    def test_needs_a_person(self) -> None:
        assert Client().get(reverse("sessions")).status_code == 302


class TestDeactivation:
    def test_ends_sessions_at_the_next_request(self, asa: Person) -> None:
        client = signed_in(asa)
        Person.objects.filter(pk=asa.pk).update(is_active=False)
        assert client.get(reverse("profile")).status_code == 302
        # And is not revived with the account: the session is gone.
        Person.objects.filter(pk=asa.pk).update(is_active=True)
        assert client.get(reverse("profile")).status_code == 302

    def test_by_staff_ends_them_at_once(self, asa: Person, officer: Person) -> None:
        signed_in(asa)
        services.person_deactivate(person=asa, by=officer, now=clock.now(), reason="staff")
        assert not Session.objects.filter(person=asa).exists()


@pytest.mark.parametrize("agent", ["", "\x00", "x" * 5000, "<script>alert(1)</script>"])
def test_strange_browsers_have_a_name_too(agent: str, asa: Person) -> None:
    client = signed_in(asa, agent.replace("\x00", "?"))
    assert client.get(reverse("sessions")).status_code == 200
    assert "<script>alert" not in client.get(reverse("sessions")).text
    assert devices.device_name(agent) == "Unknown device"
