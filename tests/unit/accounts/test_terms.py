from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.urls import reverse

from accounts import selectors, services
from accounts.documents import blocks_of
from accounts.models import Person, Terms, TermsAcceptance
from core import clock

pytestmark = pytest.mark.django_db


def newer(slug: str = "terms-of-use", **fields: object) -> Terms:
    defaults = {"slug": slug, "version": 2, "language": "en", "title": "New terms", "text": "New words.", "effective_from": clock.now()}
    return Terms.objects.create(**{**defaults, **fields})


class TestNewVersion:
    def test_is_asked_for_at_the_next_page_and_once(self, asa: Person, asa_client: Client) -> None:
        assert asa_client.get(reverse("profile")).status_code == 200
        newer()
        asked = asa_client.get(reverse("profile") + "?tab=1")
        assert asked["Location"] == "/terms/accept/?next=%2Fmore%2Fprofile%2F%3Ftab%3D1"
        page = asa_client.get(asked["Location"])
        assert "New words." in page.text
        assert "Version 2" in page.text
        assert asa_client.post(reverse("terms_accept"), {"next": "/more/profile/?tab=1"})["Location"] == "/more/profile/?tab=1"
        assert asa_client.get(reverse("profile")).status_code == 200
        assert TermsAcceptance.objects.filter(person=asa, slug="terms-of-use").count() == 2

    def test_stops_changes_too_until_it_is_accepted(self, asa_client: Client, asa: Person) -> None:
        newer()
        asa_client.post(reverse("profile"), {"name": "Changed"})
        assert Person.objects.get(pk=asa.pk).name == "Åsa Lindgren"

    def test_still_lets_people_read_and_leave(self, asa_client: Client) -> None:
        newer()
        assert asa_client.get(reverse("terms", args=["terms-of-use"])).status_code == 200
        assert asa_client.post(reverse("account_logout")).status_code == 302

    def test_tells_htmx_to_load_the_page(self, asa_client: Client) -> None:
        newer()
        answer = asa_client.get(reverse("profile"), headers={"HX-Request": "true"})
        assert (answer.status_code, answer["HX-Redirect"]) == (204, "/terms/accept/?next=%2Fmore%2Fprofile%2F")

    def test_of_the_future_waits(self, asa: Person, asa_client: Client) -> None:
        newer(effective_from=clock.now() + timedelta(days=1))
        assert asa_client.get(reverse("profile")).status_code == 200
        assert [row.slug for row in selectors.terms_missing(asa, at=clock.now() + timedelta(days=2))] == ["terms-of-use"]

    def test_leads_nowhere_else(self, asa_client: Client) -> None:
        newer()
        assert asa_client.post(reverse("terms_accept"), {"next": "https://evil.example/"})["Location"] == "/"


class TestAcceptance:
    def test_repeated_changes_nothing(self, asa: Person) -> None:
        assert services.terms_accept(asa, now=clock.now()) == []
        assert TermsAcceptance.objects.filter(person=asa).count() == 2

    def test_cannot_be_changed_or_deleted_by_the_application(self, asa: Person) -> None:
        for change in (lambda rows: rows.update(version=9), lambda rows: rows.delete()):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                change(TermsAcceptance.objects.filter(person=asa))


class TestTermsPage:
    def test_shows_the_newest_in_force_or_the_version_asked_for(self, client: Client) -> None:
        newer()
        newer(version=3, title="Later", effective_from=clock.now() + timedelta(days=9))
        url = reverse("terms", args=["terms-of-use"])
        assert "New terms" in client.get(url).text
        assert "What this is" in client.get(f"{url}?version=1").text
        assert client.get(f"{url}?version=3").status_code == 404

    def test_is_shown_in_the_readers_language(self) -> None:
        newer(language="sv", title="Villkor")
        newer()
        assert getattr(selectors.terms_get("terms-of-use", language="sv"), "title", "") == "Villkor"
        assert getattr(selectors.terms_get("terms-of-use", language="fa"), "title", "") == "New terms"

    @pytest.mark.parametrize("query", ["?version=abc", "?version=-1", "?version=99999999999", "?version=%00", "?version=²"])
    def test_hostile_versions_are_no_error(self, client: Client, query: str) -> None:
        assert client.get(reverse("terms", args=["terms-of-use"]) + query).status_code in (200, 404)
        assert client.get("/terms/unknown/").status_code == 404

    def test_text_is_escaped(self, client: Client) -> None:
        newer(text="## <b>Heading</b>\n\n- one\n- <script>two</script>\n\nA\nparagraph.")
        page = client.get(reverse("terms", args=["terms-of-use"])).text
        assert "&lt;script&gt;two" in page
        assert "<p>A paragraph.</p>" in page
        assert [block.kind for block in blocks_of("## H\n\n- a\n- b\n\ntext")] == ["heading", "list", "paragraph"]
