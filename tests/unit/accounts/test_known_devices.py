from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import privacy
from accounts.known_devices import HEADER, KEPT_FOR
from accounts.models import KnownDevice, Person
from core import clock
from core.models import Event
from tests.unit.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
COOKIE = settings.HUB_DEVICE_COOKIE


def sign_in(client: Client, person: Person) -> None:
    answer = client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    # Not client.logout(): that forgets every cookie.
    client.cookies.pop(settings.SESSION_COOKIE_NAME)


def told() -> list[Event]:
    return list(Event.objects.filter(name="accounts.session.new_device").order_by("id"))


class TestNewDevice:
    def test_the_first_device_is_remembered_without_a_word(self, asa: Person) -> None:
        sign_in(Client(headers={"User-Agent": FIREFOX}), asa)
        assert KnownDevice.objects.get(person=asa).agent == FIREFOX
        assert told() == []

    def test_another_browser_is_told_of_once(self, asa: Person) -> None:
        sign_in(Client(), asa)
        new = Client(headers={"User-Agent": FIREFOX})
        sign_in(new, asa)
        sign_in(new, asa)
        [event] = told()
        device = KnownDevice.objects.get(person=asa, id=event.data["device_id"])
        assert (event.party_id, event.data["person_id"], device.agent) == (asa.party_id, str(asa.id), FIREFOX)

    def test_a_device_two_people_use_is_new_for_each(self, asa: Person, bo: Person) -> None:
        family = Client()
        sign_in(Client(), asa)
        sign_in(Client(), bo)
        sign_in(family, asa)
        sign_in(family, bo)
        assert [event.party_id for event in told()] == [asa.party_id, bo.party_id]

    def test_a_forged_cookie_is_a_new_device(self, asa: Person) -> None:
        home = Client()
        sign_in(home, asa)
        for forged in ("", "x", home.cookies[COOKIE].value + "x", home.cookies[COOKIE].value.split(":")[0], "\x00:\x00"):
            thief = Client()
            thief.cookies[COOKIE] = forged
            sign_in(thief, asa)
        assert len(told()) == 5

    def test_is_forgotten_after_more_than_a_year(self, asa: Person) -> None:
        old, now = Client(), clock.now()
        sign_in(Client(), asa)
        sign_in(old, asa)
        KnownDevice.objects.update(seen_at=now - KEPT_FOR - timedelta(days=1))
        sign_in(old, asa)
        assert KnownDevice.objects.filter(person=asa).count() == 1


class TestCookie:
    def test_is_kept_from_scripts_and_lives_long(self, asa: Person) -> None:
        client = Client()
        sign_in(client, asa)
        cookie = client.cookies[COOKIE]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["max-age"] == KEPT_FOR.total_seconds()

    def test_comes_only_with_a_sign_in(self, asa_client: Client) -> None:
        asa_client.cookies.pop(COOKIE, None)
        assert COOKIE not in asa_client.get(reverse("profile")).cookies

    def test_is_a_header_over_the_api_and_works_the_same(self, asa: Person) -> None:
        sign_in(Client(), asa)
        path, body = "/api/v1/auth/app/v1/auth/login", {"email": asa.email, "password": PASSWORD}
        first = Client().post(path, body, content_type="application/json")
        assert (first.status_code, len(told())) == (200, 1)
        again = Client().post(path, body, content_type="application/json", headers={HEADER: first.headers[HEADER]})
        assert (again.status_code, len(told())) == (200, 1)
        assert not again.cookies

    def test_the_table_holds_neither_it_nor_the_browser(self, asa: Person) -> None:
        client = Client(headers={"User-Agent": FIREFOX})
        sign_in(client, asa)
        with connection.cursor() as cursor:
            cursor.execute("SELECT t::text || encode(agent, 'escape') || encode(token_hash, 'escape') FROM accounts_knowndevice t")
            row = cursor.fetchone()[0]
        assert "Firefox" not in row
        assert client.cookies[COOKIE].value.split(":")[0] not in row

    def test_is_handed_out_and_erased_with_the_person(self, asa: Person) -> None:
        sign_in(Client(headers={"User-Agent": FIREFOX}), asa)
        assert privacy.export_people(asa.party_id)["person"]["known_devices"][0]["calls_itself"] == FIREFOX
        privacy.erase_people(asa.party_id, clock.now())
        assert not KnownDevice.objects.exists()
