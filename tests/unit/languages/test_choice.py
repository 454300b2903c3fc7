"""Which language somebody gets: the browser's, the one they chose, the profile's; on pages, in problem documents and in mails."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import translation

from accounts.models import Person, Terms
from accounts.services import person_sign_up, person_update, terms_accept
from core import charts, clock, formatting
from core.models import DueWork
from core.money import Money
from engagement.notifications.words import Sentence
from hub.views import server_error

pytestmark = pytest.mark.django_db
COOKIE = settings.LANGUAGE_COOKIE_NAME


@pytest.fixture
def asa() -> Person:
    person = person_sign_up(
        email="asa@example.com", password="three unrelated words 42", name="Åsa Berg", now=clock.now(), email_proved=True
    )
    terms_accept(person, now=clock.now())
    return person


def client_of(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def language_of(page: bytes) -> str:
    return page.decode().split('<html lang="', 1)[1].split('"', 1)[0]


class TestVisitors:
    @pytest.mark.parametrize(
        ("header", "language"),
        [
            ("", "en"),
            ("sv-SE,sv;q=0.9,en;q=0.8", "sv"),
            ("zh-CN,zh;q=0.9", "zh-hans"),
            ("zh", "zh-hans"),
            ("fa-IR,fa;q=0.9", "fa"),
            ("de-DE,de;q=0.9,sv;q=0.5", "sv"),
            ("de,fr", "en"),
            ("*", "en"),
            ("\x00;q=x", "en"),
        ],
    )
    def test_get_the_first_of_their_browsers_languages_that_we_have(self, header: str, language: str) -> None:
        answer = Client().get("/", headers={"Accept-Language": header})
        assert language_of(answer.content) == language
        assert "Accept-Language" in answer["Vary"]
        assert ('dir="rtl"' in answer.content.decode()) == (language == "fa")

    def test_choose_another_and_keep_it(self) -> None:
        client = Client()
        answer = client.post("/language/", {"language": "fa", "next": "/more/help/"})
        assert answer["Location"] == "/more/help/"
        cookie = answer.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert language_of(client.get("/", headers={"Accept-Language": "sv"}).content) == "fa"

    @pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", ""])
    def test_are_never_led_away_by_it(self, target: str) -> None:
        assert Client().post("/language/", {"language": "sv", "next": target})["Location"] == "/"

    @pytest.mark.parametrize("code", ["", "tlh", "../etc", "SV", "\x00"])
    def test_are_refused_a_language_that_we_have_not(self, code: str) -> None:
        answer = Client().post("/language/", {"language": code})
        assert answer.status_code == 400
        assert COOKIE not in answer.cookies

    def test_need_a_token_of_the_page_for_it(self) -> None:
        assert Client(enforce_csrf_checks=True).post("/language/", {"language": "sv"}).status_code == 403

    def test_find_every_language_by_its_own_name(self) -> None:
        page = Client().get("/more/help/").content.decode()
        assert [name in page for _code, name in settings.LANGUAGES] == [True] * 4

    def test_fetch_the_font_of_the_page_only(self) -> None:
        fonts = {
            language: [
                font
                for font in ("figtree", "vazirmatn")
                if f"fonts/{font}" in Client().get("/", headers={"Accept-Language": language}).content.decode()
            ]
            for language in ("sv", "zh-hans", "fa")
        }
        assert fonts == {"sv": ["figtree"], "zh-hans": ["figtree"], "fa": ["vazirmatn"]}


class TestPeople:
    def test_get_the_language_of_their_profile_whatever_the_browser_says(self, asa: Person) -> None:
        person_update(person=asa, language="fa", now=clock.now())
        page = client_of(asa).get("/", headers={"Accept-Language": "sv"}).content
        assert language_of(page) == "fa"

    def test_change_it_with_their_profile_and_at_the_foot_of_public_pages(self, asa: Person) -> None:
        client_of(asa).post("/language/", {"language": "sv"})
        asa.refresh_from_db()
        assert asa.language == "sv"

    def test_may_change_it_before_they_accept_new_terms(self, asa: Person) -> None:
        Terms.objects.create(slug="terms-of-use", version=2, language="en", title="New terms", text="New.", effective_from=clock.now())
        client = client_of(asa)
        assert client.get("/activity/")["Location"].startswith("/terms/accept/")
        assert client.post("/language/", {"language": "zh-hans", "next": "/terms/accept/"})["Location"] == "/terms/accept/"
        assert language_of(client.get("/terms/accept/").content) == "zh-hans"

    def test_are_told_in_their_language_that_it_changed(self, asa: Person) -> None:
        client = client_of(asa)
        form = client.get("/more/profile/").context["form"].initial
        answer = client.post("/more/profile/", {**form, "hide_amounts": "", "language": "sv"}, follow=True)
        assert "Din profil är sparad." in answer.content.decode()


class TestTerms:
    def test_without_a_translation_are_shown_in_english_and_say_so(self) -> None:
        page = Client().get("/terms/terms-of-use/", headers={"Accept-Language": "fa"}).content.decode()
        assert "متن انگلیسی ملاک است" in page
        assert '<article class="prose" lang="en" dir="ltr">' in page
        assert "binding" not in Client().get("/terms/terms-of-use/").content.decode()


class TestElsewhere:
    def test_problem_documents_speak_the_language_asked_for(self) -> None:
        answer = Client().get("/api/v1/wallets", headers={"Accept-Language": "sv", "X-Session-Token": "no-such-token"})
        assert answer.status_code == 401
        assert json.loads(answer.content)["detail"] in ("Sessionen är slut. Logga in igen.", "Token gäller inte längre.")

    def test_a_broken_hub_says_so_from_the_readers_side(self) -> None:
        with translation.override("fa"):
            page = server_error(RequestFactory().get("/")).content.decode()
        assert '<html lang="fa" dir="rtl"' in page
        assert "خطایی از سوی ما رخ داد" in page

    def test_mails_have_the_language_and_the_side_of_who_reads_them(self) -> None:
        cache.clear()
        Client().post("/auth/reset/", {"email": "nobody@example.com"}, headers={"Accept-Language": "fa"})
        mail = json.loads(DueWork.objects.get(kind="core.mail").secret)
        assert "حسابی با این نشانی در" in mail["subject"]
        assert '<html lang="fa" dir="rtl">' in mail["html"]

    def test_amounts_keep_their_direction_in_plain_persian_sentences(self) -> None:
        with translation.override("fa"):
            chart = charts.line_chart(
                [(date(2026, 11, 20), Money(50_00, "EUR")), (date(2026, 11, 21), Money(20_00, "EUR"))],
                language="fa",
                name="",
                value_name="",
            )
            said = Sentence("{name} {amount}", {"name": "Bo", "amount": "x"}).text
        assert chart.summary.count("\N{FIRST STRONG ISOLATE}") == chart.summary.count("\N{POP DIRECTIONAL ISOLATE}") == 3
        assert said == "\u2068Bo\u2069 \u2068x\u2069"
        assert Sentence("{name}", {"name": "Bo"}).text == "Bo"

    def test_days_are_counted_by_the_readers_calendar(self) -> None:
        at = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)
        said = {code: formatting.moment(at, code, zone="Europe/Stockholm") for code, _name in settings.LANGUAGES}
        assert said == {
            "en": "21 Nov 2026, 14:05",
            "sv": "21 nov. 2026, 14:05",
            "zh-hans": "2026年11月21日 14:05",
            "fa": "۳۰ آبان ۱۴۰۵، ۱۴:۰۵",
        }
