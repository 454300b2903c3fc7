from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.middleware import PersonMiddleware
from accounts.models import Person
from accounts.services import people
from tests.unit.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def profile_data(**changes: str) -> dict[str, str]:
    return {
        "name": "Åsa Berg",
        "handle": "@Asa.B",
        "language": "en",
        "time_zone": "Asia/Tehran",
        "home_currency": "SEK",
        "theme": "dark",
        **changes,
    }


class TestProfile:
    def test_is_saved(self, asa: Person, asa_client: Client) -> None:
        assert asa_client.post(reverse("profile"), profile_data())["Location"] == reverse("profile")
        asa = Person.objects.get(pk=asa.pk)
        assert (asa.name, asa.party.handle, asa.time_zone, asa.home_currency, asa.theme) == (
            "Åsa Berg",
            "asa.b",
            "Asia/Tehran",
            "SEK",
            "dark",
        )
        page = asa_client.get(reverse("profile")).text
        assert 'value="asa.b"' in page
        assert 'data-theme="dark"' in page
        assert "Your profile is saved." in page

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"name": ""}, "Enter your name."),
            ({"name": "\u202e"}, "Enter a name of at most"),
            ({"handle": "å"}, "A handle has 3 to 30"),
            ({"handle": "support"}, "This handle is taken."),
            ({"handle": "x\x00y"}, "Null characters"),
            ({"time_zone": "Mars/Olympus"}, "valid choice"),
            ({"theme": "neon"}, "valid choice"),
            ({"language": "../etc"}, "valid choice"),
        ],
    )
    def test_says_what_is_wrong_and_saves_nothing(self, asa: Person, asa_client: Client, changes: dict[str, str], message: str) -> None:
        page = asa_client.post(reverse("profile"), profile_data(**changes))
        assert page.status_code == 422
        assert message in page.text
        assert "<title>Error: Profile" in page.text
        assert Person.objects.get(pk=asa.pk).name == "Åsa Lindgren"

    @pytest.mark.parametrize("name", ["profile", "sessions", "close_account", "account_email", "account_change_password", "terms_accept"])
    def test_and_its_neighbours_need_a_person(self, client: Client, name: str) -> None:
        answer = client.get(reverse(name))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))

    def test_cross_site_posts_are_refused(self, asa: Person) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(asa)
        assert strict.post(reverse("profile"), profile_data()).status_code == 403

    def test_is_never_kept_by_a_cache(self, asa_client: Client) -> None:
        assert asa_client.get(reverse("profile"))["Cache-Control"] == "no-store"


class TestCloseAccount:
    def test_shows_what_stands_in_the_way(self, asa_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "_closing_checks", [lambda party_id: ["Take out your 20 EUR first."]])
        page = asa_client.get(reverse("close_account")).text
        assert "Take out your 20 EUR first." in page
        assert 'name="password"' not in page
        assert asa_client.post(reverse("close_account"), {"password": PASSWORD}).status_code == 422

    def test_asks_for_the_password_then_closes(self, asa: Person, asa_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "_closing_checks", [])
        assert "This is not your password" in asa_client.post(reverse("close_account"), {"password": "wrong"}).text
        assert "Your account is closed" in asa_client.post(reverse("close_account"), {"password": PASSWORD}).text
        assert asa_client.get(reverse("profile")).status_code == 302
        assert not Person.objects.get(pk=asa.pk).is_active


class TestPersonMiddleware:
    def test_pages_are_in_the_persons_time_zone_and_leave_none_behind(
        self, asa: Person, sign_up: Callable[..., Person], rf, now: datetime
    ) -> None:
        services.person_update(person=asa, time_zone="Asia/Tehran", now=now)
        seen: list[str] = []

        def view(_: HttpRequest) -> HttpResponse:
            seen.append(timezone.get_current_timezone_name())
            return HttpResponse()

        request = rf.get("/")
        request.user = asa
        request.session = {}
        before = timezone.get_current_timezone_name()
        PersonMiddleware(view)(request)
        assert seen == ["Asia/Tehran"]
        assert timezone.get_current_timezone_name() == before

    def test_costs_one_query_for_the_terms(self, asa: Person, asa_client: Client, django_assert_max_num_queries) -> None:
        with django_assert_max_num_queries(12):
            asa_client.get(reverse("profile"))
