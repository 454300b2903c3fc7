from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import django_otp
import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import Person, Session, TotpDevice
from accounts.models.factors import seed_new
from core import clock
from core.models import AuditEntry
from tests.unit.accounts.conftest import PASSWORD

LOGIN = "/admin/login/"


def sign_in(client: Client, person: Person, code: str, password: str = PASSWORD) -> int:
    return client.post(LOGIN, {"username": person.email, "password": password, "code": code, "next": "/admin/"}).status_code


def staff_client(person: Person, device: TotpDevice, *groups: str) -> Client:
    person.groups.set(Group.objects.filter(name__in=groups))
    client = Client()
    assert sign_in(client, person, device.code_at(clock.real())) == 302
    return client


@pytest.mark.django_db
class TestStaffSignIn:
    def test_with_password_and_code(self, officer: Person, officer_device: TotpDevice) -> None:
        client = staff_client(officer, officer_device)
        assert client.get("/admin/").status_code == 200

    def test_not_with_the_password_alone(self, officer: Person, officer_device: TotpDevice) -> None:
        client = Client()
        assert sign_in(client, officer, "") == 200
        client.force_login(officer)
        assert client.get("/admin/").status_code == 302

    def test_not_without_a_factor(self, officer: Person) -> None:
        assert sign_in(Client(), officer, "123456") == 200

    def test_not_for_people_who_are_no_staff(self, asa: Person) -> None:
        device = TotpDevice.objects.create(user=asa, name="phone", seed=seed_new())
        assert sign_in(Client(), asa, device.code_at(clock.real())) == 200

    def test_refuses_every_mistake_in_the_same_words(self, officer: Person, officer_device: TotpDevice, asa: Person) -> None:
        good = officer_device.code_at(clock.real())
        tries = [
            (officer.email, "wrong", good),
            (officer.email, PASSWORD, "000000"),
            ("nobody@example.com", "x", good),
            (asa.email, PASSWORD, good),
        ]
        for email, password, code in tries:
            page = Client().post(LOGIN, {"username": email, "password": password, "code": code})
            assert page.status_code == 200
            assert "The e-mail address, the password or the code is wrong." in page.text

    def test_guessing_is_stopped(self, officer: Person, officer_device: TotpDevice) -> None:
        for _ in range(5):
            sign_in(Client(), officer, officer_device.code_at(clock.real()), password="wrong")
        assert sign_in(Client(), officer, officer_device.code_at(clock.real())) == 200

    def test_a_code_is_good_once(self, officer: Person, officer_device: TotpDevice) -> None:
        code = officer_device.code_at(clock.real())
        assert sign_in(Client(), officer, code) == 302
        assert sign_in(Client(), officer, code) == 200


@pytest.mark.django_db
class TestTotpDevice:
    def test_accepts_the_neighbours_once_each_and_never_backwards(self, officer_device: TotpDevice) -> None:
        now = clock.real()
        step = timedelta(seconds=30)
        codes = [officer_device.code_at(now + step * offset) for offset in (-2, -1, 0, 1, 2)]
        assert not officer_device.code_accept(codes[0], now)
        assert not officer_device.code_accept(codes[4], now)
        assert officer_device.code_accept(codes[2], now)
        for again in (now, now + step, now + step * 3):
            assert not officer_device.code_accept(codes[2], again)
        assert not officer_device.code_accept(codes[1], now)
        assert officer_device.code_accept(codes[3], now)

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "۱۲۳۴۵۶", "1" * 5000, "\x00"])
    def test_what_is_no_code_is_no_error(self, officer_device: TotpDevice, code: str) -> None:
        assert officer_device.verify_token(code) is False

    def test_wrong_codes_slow_it_down(self, officer_device: TotpDevice) -> None:
        assert not officer_device.verify_token("000000")
        assert officer_device.verify_is_allowed()[0] is False
        assert not officer_device.verify_token(officer_device.code_at(clock.real()))

    def test_its_seed_is_not_readable_in_the_table(self, officer_device: TotpDevice) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT seed FROM accounts_totpdevice")
            assert officer_device.seed.encode() not in bytes(cursor.fetchone()[0])
        assert officer_device.setup_uri.startswith("otpauth://totp/Hub%3Aofficer%40example.com?secret=")


def test_of_twenty_who_bring_one_code_one_gets_in(fresh_db: str) -> None:
    officer = services.person_sign_up(email="o@example.com", name="Olle", password=None, is_staff=True, now=clock.now())
    device = TotpDevice.objects.create(user=officer, name="phone", seed=seed_new())
    code, results, barrier = device.code_at(clock.real()), [], threading.Barrier(20)

    def bring() -> None:
        barrier.wait()
        try:
            results.append(django_otp.verify_token(officer, device.persistent_id, code) is not None)
        finally:
            connection.close()

    threads = [threading.Thread(target=bring) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 19 + [True]


@pytest.mark.django_db
class TestRights:
    PEOPLE = "/admin/accounts/person/"

    @pytest.mark.parametrize(
        ("group", "people", "terms"),
        [("support", 200, 200), ("compliance", 200, 200), ("operations", 403, 200), ("", 403, 403)],
    )
    def test_groups_see_what_they_need(
        self, officer: Person, officer_device: TotpDevice, asa: Person, group: str, people: int, terms: int
    ) -> None:
        client = staff_client(officer, officer_device, group)
        assert client.get(self.PEOPLE).status_code == people
        assert client.get(f"{self.PEOPLE}{asa.pk}/change/").status_code == people
        assert client.get("/admin/accounts/terms/").status_code == terms

    def test_nobody_edits_or_deletes_people_here(self, officer: Person, officer_device: TotpDevice, asa: Person) -> None:
        officer.is_superuser = True
        officer.save()
        client = staff_client(officer, officer_device)
        assert client.get(f"{self.PEOPLE}{asa.pk}/delete/").status_code == 403
        assert client.get(f"{self.PEOPLE}add/").status_code == 403
        client.post(f"{self.PEOPLE}{asa.pk}/change/", {"name": "Changed", "is_staff": "on", "is_superuser": "on"})
        asa.refresh_from_db()
        assert (asa.name, asa.is_staff, asa.is_superuser) == ("Åsa Lindgren", False, False)

    def test_every_look_is_in_the_log_of_the_person_looked_at(self, officer: Person, officer_device: TotpDevice, asa: Person) -> None:
        client = staff_client(officer, officer_device, "support")
        assert "Åsa Lindgren" in client.get(f"{self.PEOPLE}{asa.pk}/change/").text
        client.get(f"/admin/accounts/party/{asa.party_id}/change/")
        looks = AuditEntry.objects.filter(party_id=asa.party_id, actor_id=officer.pk, actor_kind="staff").values_list("action", flat=True)
        assert set(looks) == {"accounts.person.viewed", "accounts.party.viewed"}

    @pytest.mark.parametrize("query", ["asa@example.com", "ASA@Example.com", "@asa.l", "{id}", "{party}"])
    def test_people_are_found_by_what_they_would_say(
        self, officer: Person, officer_device: TotpDevice, asa: Person, bo: Person, query: str
    ) -> None:
        services.handle_set(by=asa, party_id=asa.party_id, handle="asa.l", now=clock.now())
        client = staff_client(officer, officer_device, "support")
        page = client.get(self.PEOPLE, {"q": query.format(id=asa.id, party=asa.party_id)}).text
        assert "asa@example.com" in page
        assert "bo@example.com" not in page

    @pytest.mark.parametrize("query", ["\x00", "%", "' OR 1=1", "x" * 3000, "@\x00"])
    def test_hostile_searches_find_nothing(self, officer: Person, officer_device: TotpDevice, asa: Person, query: str) -> None:
        client = staff_client(officer, officer_device, "support")
        for path in (self.PEOPLE, "/admin/accounts/party/"):
            answer = client.get(path, {"q": query})
            assert answer.status_code == 200
            # Django's admin shows the whole list, with an error, for what its search form does not take.
            assert "asa@example.com" not in answer.text or "\x00" in query

    def test_support_cannot_stop_people_and_compliance_can(
        self, officer: Person, officer_device: TotpDevice, asa: Person, sign_up: Callable[..., Person]
    ) -> None:
        Client().force_login(asa)
        action = {"action": "deactivate", "_selected_action": [str(asa.pk)]}
        staff_client(officer, officer_device, "support").post(self.PEOPLE, action)
        assert Person.objects.get(pk=asa.pk).is_active
        agent = sign_up("agent@example.com", "Agda Agent", is_staff=True)
        device = TotpDevice.objects.create(user=agent, name="phone", seed=seed_new())
        staff_client(agent, device, "compliance").post(self.PEOPLE, action)
        assert not Person.objects.get(pk=asa.pk).is_active
        assert not Session.objects.filter(person=asa).exists()

    def test_new_terms_are_written_here(self, officer: Person, officer_device: TotpDevice) -> None:
        client = staff_client(officer, officer_device, "operations")
        assert client.get("/admin/accounts/terms/add/").status_code == 200
        row = {
            "slug": "terms-of-use",
            "version": "2",
            "language": "en",
            "title": "T",
            "text": "New.",
            "effective_from_0": "2099-01-01",
            "effective_from_1": "00:00",
        }
        assert client.post("/admin/accounts/terms/add/", row).status_code == 302

    def test_allauths_own_pages_for_addresses_are_not_there(self, officer: Person, officer_device: TotpDevice) -> None:
        officer.is_superuser = True
        officer.save()
        assert staff_client(officer, officer_device).get("/admin/account/emailaddress/").status_code == 404

    def test_terms_in_force_are_not_edited(self, officer: Person, officer_device: TotpDevice) -> None:
        from accounts.models import Terms

        client = staff_client(officer, officer_device, "operations")
        row = Terms.objects.get(slug="privacy")
        client.post(f"/admin/accounts/terms/{row.pk}/change/", {"title": "Changed"})
        row.refresh_from_db()
        assert row.title == "Privacy notice"


@pytest.mark.django_db
class TestStaffAppoint:
    def test_a_new_officer_gets_groups_and_a_factor_that_works(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("staff_appoint", "new@example.com", "--name", "Nora New", "--group", "support", "--json")
        printed = json.loads(capsys.readouterr().out)
        person = Person.objects.get(email="new@example.com")
        assert (person.is_staff, person.is_superuser, person.has_usable_password()) == (True, False, False)
        assert [group.name for group in person.groups.all()] == ["support"]
        assert TotpDevice.objects.get(user=person).seed == printed["totp_secret"]

    def test_appointing_again_replaces_factor_and_sessions(self, officer: Person, officer_device: TotpDevice) -> None:
        client = staff_client(officer, officer_device, "support")
        services.staff_appoint(person=officer, groups=["operations"], superuser=False, now=clock.now())
        assert client.get("/admin/").status_code == 302
        assert TotpDevice.objects.get(user=officer).seed != officer_device.seed

    def test_needs_an_address(self) -> None:
        with pytest.raises(SystemExit) as ended:
            call_command("staff_appoint", "nobody")
        assert ended.value.code == 2


@pytest.mark.django_db
class TestAdminScripts:
    def test_the_policy_comes_before_every_other_script(self, officer: Person, officer_device: TotpDevice, asa: Person) -> None:
        client = staff_client(officer, officer_device, "support")
        for path in (LOGIN, "/admin/", TestRights.PEOPLE, f"{TestRights.PEOPLE}{asa.pk}/change/"):
            page = (Client() if path == LOGIN else client).get(path).text
            assert page.index("admin-trusted-types.js") == page.index("<script") + len('<script src="/static/js/')

    def test_people_pages_have_no_such_policy(self, client: Client) -> None:
        assert "admin-trusted-types" not in client.get(reverse("account_login")).text


class TestTrustedTypes:
    def test_only_staff_pages_may_have_a_default_policy(self, client: Client, db: None) -> None:
        def policies(path: str) -> set[str]:
            header = client.get(path)["Content-Security-Policy"]
            found = next(part for part in header.split(";") if part.strip().startswith("trusted-types"))
            return set(found.split()[1:])

        assert policies("/admin/login/") == {"htmx", "default"}
        assert policies("/") == {"htmx"}
