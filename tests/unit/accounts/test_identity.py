"""Signing up, in and out, over HTTP: what a visitor sees must not tell who has an account."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import Person, Session
from core import clock
from tests.unit.accounts.conftest import PASSWORD, code_in, mails

pytestmark = pytest.mark.django_db


def sign_up_data(**changes: str) -> dict[str, str]:
    return {
        "email": "new@example.com",
        "name": "Nova New",
        "password1": "seven green umbrellas",
        "home_currency": "SEK",
        "time_zone": "Europe/Stockholm",
        "terms": "on",
        **changes,
    }


def comparable(page: Any, *secrets: str) -> str:
    """The page without what differs from one load to the next."""
    text = page.content.decode()
    text = re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[^"]*"', "", text)
    for secret in secrets:
        text = text.replace(secret, "X")
    return text


class TestSignUp:
    def test_with_the_code_from_the_mail(self, client: Client) -> None:
        answer = client.post(reverse("account_signup"), sign_up_data(email="New@Example.com"))
        assert (answer.status_code, answer["Location"]) == (302, reverse("account_email_verification_sent"))
        mail = mails()[-1]
        assert mail["to"] == "new@example.com"
        person = Person.objects.get(email="new@example.com")
        assert (person.name, person.home_currency, person.time_zone) == ("Nova New", "SEK", "Europe/Stockholm")
        page = client.get(reverse("account_email_verification_sent"))
        assert 'autocomplete="one-time-code"' in page.text
        assert 'inputmode="numeric"' in page.text
        done = client.post(reverse("account_email_verification_sent"), {"action": "verify", "code": code_in(mail)})
        assert (done.status_code, done["Location"]) == (302, "/")
        assert EmailAddress.objects.get(user=person).verified
        assert client.session["_auth_user_id"] == str(person.pk)

    def test_without_the_code_nobody_is_signed_in(self, client: Client) -> None:
        client.post(reverse("account_signup"), sign_up_data())
        assert client.get(reverse("profile")).status_code == 302
        wrong = client.post(reverse("account_email_verification_sent"), {"action": "verify", "code": "000000"})
        assert "This is not the code we sent" in wrong.text

    def test_a_code_in_persian_digits_is_a_code(self, client: Client) -> None:
        client.post(reverse("account_signup"), sign_up_data())
        code = code_in(mails()[-1]).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        assert client.post(reverse("account_email_verification_sent"), {"action": "verify", "code": f" {code} "})["Location"] == "/"

    def test_five_wrong_codes_end_it(self, client: Client) -> None:
        client.post(reverse("account_signup"), sign_up_data())
        for _ in range(5):
            answer = client.post(reverse("account_email_verification_sent"), {"action": "verify", "code": "000000"})
        assert (answer.status_code, answer["Location"]) == (302, reverse("account_login"))

    def test_another_code_replaces_the_first(self, client: Client) -> None:
        client.post(reverse("account_signup"), sign_up_data())
        first = code_in(mails()[-1])
        cache.clear()  # more than ten seconds pass
        client.post(reverse("account_email_verification_sent"), {"action": "resend"})
        second = code_in(mails()[-1])
        assert len(mails()) == 2
        if first != second:
            assert client.post(reverse("account_email_verification_sent"), {"action": "verify", "code": first}).status_code == 200
        assert client.post(reverse("account_email_verification_sent"), {"action": "verify", "code": second})["Location"] == "/"

    @pytest.mark.parametrize("email", ["asa@example.com", "ASA@example.com", "ａsa@Example.com"])
    def test_answers_alike_for_known_and_new(self, client: Client, asa: Person, email: str) -> None:
        new, known = Client(), Client()
        answers = [new.post(reverse("account_signup"), sign_up_data()), known.post(reverse("account_signup"), sign_up_data(email=email))]
        assert answers[0].status_code == answers[1].status_code == 302
        assert answers[0]["Location"] == answers[1]["Location"]
        pages = [browser.get(reverse("account_email_verification_sent")) for browser in (new, known)]
        assert comparable(pages[0], "new@example.com") == comparable(pages[1], "asa@example.com")
        wrong = [b.post(reverse("account_email_verification_sent"), {"action": "verify", "code": "000000"}) for b in (new, known)]
        assert comparable(wrong[0], "new@example.com") == comparable(wrong[1], "asa@example.com")
        assert [mail["subject"] for mail in mails() if mail["to"] == "asa@example.com"] == ["You already have an account at Hub"]
        assert Person.objects.filter(email__startswith="asa").count() == 1

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"email": "nobody"}, "Enter an e-mail address like"),
            ({"email": "\x00@example.com"}, "Null characters"),
            ({"name": ""}, "Enter your name"),
            ({"name": "\u202e"}, "Enter a name"),
            ({"password1": "short"}, "too short"),
            ({"password1": "1234567890"}, "too common"),
            ({"password1": "novanewnova", "name": "novanewnova"}, "too similar"),
            ({"terms": ""}, "Accept the terms"),
            ({"home_currency": "XXX"}, "valid choice"),
        ],
    )
    def test_says_what_is_wrong_on_top_and_at_the_field(self, client: Client, changes: dict[str, str], message: str) -> None:
        page = client.post(reverse("account_signup"), sign_up_data(**changes))
        assert page.status_code == 200
        assert page.text.count(message) == 2
        assert "There is a problem" in page.text
        assert "<title>Error: " in page.text
        assert not Person.objects.exists()

    def test_a_time_zone_that_is_none_is_ignored(self, client: Client) -> None:
        client.post(reverse("account_signup"), sign_up_data(time_zone="../../etc/passwd"))
        assert Person.objects.get().time_zone == "Europe/Stockholm"

    def test_guesses_from_the_browser(self, client: Client) -> None:
        page = client.get(reverse("account_signup"), headers={"Accept-Language": "sv-SE"})
        assert 'value="SEK" selected' in page.text
        assert 'value="Europe/Stockholm"' in page.text

    def test_terms_can_be_read_before_they_are_accepted(self, client: Client) -> None:
        page = client.get(reverse("account_signup"))
        for slug in ("terms-of-use", "privacy"):
            assert reverse("terms", args=[slug]) in page.text
            assert client.get(reverse("terms", args=[slug])).status_code == 200


class TestSignIn:
    def _try(self, client: Client, email: str, password: str) -> Any:
        return client.post(reverse("account_login"), {"login": email, "password": password})

    @pytest.mark.parametrize("email", ["asa@example.com", "ASA@Example.com", " ａsa@example.com "])
    def test_with_any_spelling(self, client: Client, asa: Person, email: str) -> None:
        answer = self._try(client, email, PASSWORD)
        assert (answer.status_code, answer["Location"]) == (302, "/")

    def test_goes_where_it_was_asked_from_but_never_elsewhere(self, client: Client, asa: Person) -> None:
        url = reverse("account_login")
        assert client.post(f"{url}?next=/more/profile/", {"login": asa.email, "password": PASSWORD})["Location"] == "/more/profile/"
        client.logout()
        assert client.post(f"{url}?next=https://evil.example/", {"login": asa.email, "password": PASSWORD})["Location"] == "/"

    def test_answers_alike_for_known_and_unknown(self, client: Client, asa: Person) -> None:
        pages = [self._try(Client(), email, "wrong password") for email in ("asa@example.com", "xyz@example.com")]
        assert pages[0].status_code == pages[1].status_code == 200
        assert comparable(pages[0], "asa@example.com") == comparable(pages[1], "xyz@example.com")

    def test_spellings_share_one_limit_and_known_and_unknown_meet_it_alike(self, client: Client, asa: Person) -> None:
        for known, unknown in (("asa@example.com", "xyz@example.com"),):
            for email in (known, unknown):
                for spelling in (email, email.upper(), email.replace("a", "ａ", 1), f" {email}", email.title()):
                    assert "is wrong" in self._try(Client(), spelling, "wrong password").text
        locked = [self._try(Client(), email, PASSWORD) for email in ("asa@example.com", "xyz@example.com")]
        assert all("Too many wrong tries" in page.text for page in locked)
        assert comparable(locked[0], "asa@example.com") == comparable(locked[1], "xyz@example.com")

    def test_changes_the_session_key(self, client: Client, asa: Person) -> None:
        client.get(reverse("account_login"))
        session = client.session
        session["before"] = "x"
        session.save()
        before = client.cookies["hub-session"].value if "hub-session" in client.cookies else None
        self._try(client, asa.email, PASSWORD)
        assert client.cookies["hub-session"].value != before

    def test_a_closed_account_says_so_only_to_who_knows_the_password(self, client: Client, asa: Person) -> None:
        services.account_close(person=asa, password=PASSWORD, now=clock.now())
        assert self._try(Client(), asa.email, PASSWORD)["Location"] == reverse("account_inactive")
        assert "is wrong" in self._try(Client(), asa.email, "wrong password").text
        assert client.get(reverse("account_inactive")).status_code == 200

    @pytest.mark.parametrize(
        "login", ["", "\x00", "a" * 5000, "%s' OR 1=1 --", "\ud800@example.com", "asa@example.com\r\nBcc: x@example.com"]
    )
    def test_hostile_input_is_an_error_in_the_form(self, client: Client, login: str) -> None:
        body = login.encode("utf-8", "surrogatepass")
        data = b"login=" + b"".join(b"%%%02X" % byte for byte in body) + b"&password=x"
        answer = client.post(reverse("account_login"), data, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 200
        assert "There is a problem" in answer.text


class TestSignOut:
    def test_ends_the_session(self, asa_client: Client, asa: Person) -> None:
        assert asa_client.get(reverse("account_logout")).status_code == 200
        assert asa_client.post(reverse("account_logout")).status_code == 302
        assert not Session.objects.filter(person=asa).exists()
        assert asa_client.get(reverse("profile")).status_code == 302


class TestPasswordReset:
    def _ask(self, client: Client, email: str) -> Any:
        return client.post(reverse("account_reset_password"), {"email": email})

    def test_with_the_code_from_the_mail(self, client: Client, asa: Person, asa_client: Client) -> None:
        assert self._ask(client, "ASA@Example.com")["Location"] == reverse("account_confirm_password_reset_code")
        confirm = reverse("account_confirm_password_reset_code")
        assert client.post(confirm, {"code": code_in(mails()[-1])})["Location"] == reverse("account_complete_password_reset")
        assert "too common" in client.post(reverse("account_complete_password_reset"), {"password1": "1234567890"}).text
        done = client.post(reverse("account_complete_password_reset"), {"password1": "nine wooden spoons"})
        assert done["Location"] == reverse("account_password_reset_completed")
        assert client.get(done["Location"]).status_code == 200
        assert Person.objects.get(pk=asa.pk).check_password("nine wooden spoons")
        # Whoever was signed in is not any more, and the owner is told.
        assert asa_client.get(reverse("profile")).status_code == 302
        assert mails()[-1]["subject"] == "Your password was changed"

    def test_answers_alike_for_known_and_unknown(self, asa: Person) -> None:
        pages = []
        for email in ("asa@example.com", "xyz@example.com"):
            browser = Client()
            answer = self._ask(browser, email)
            page = browser.get(answer["Location"])
            wrong = browser.post(reverse("account_confirm_password_reset_code"), {"code": "000000"})
            pages.append((answer.status_code, answer["Location"], comparable(page, email), wrong.status_code, comparable(wrong, email)))
        assert pages[0] == pages[1]
        assert [mail["subject"] for mail in mails() if mail["to"] == "xyz@example.com"] == ["No account at Hub with this address"]

    def test_wrong_codes_are_counted_over_browsers(self, asa: Person) -> None:
        for _ in range(3):
            browser = Client()
            self._ask(browser, asa.email)
            for _ in range(5):
                browser.post(reverse("account_confirm_password_reset_code"), {"code": "000000"})
        browser = Client()
        self._ask(browser, asa.email)
        answer = browser.post(reverse("account_confirm_password_reset_code"), {"code": code_in(mails()[-1])})
        assert "Too many wrong tries" in answer.text


class TestChangingPasswordAndEmail:
    def test_password_ends_other_sessions_and_tells_the_owner(self, asa: Person, asa_client: Client) -> None:
        other = Client()
        other.force_login(asa)
        answer = asa_client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": "nine wooden spoons"})
        assert answer.status_code == 302
        assert asa_client.get(reverse("profile")).status_code == 200
        assert other.get(reverse("profile")).status_code == 302
        assert mails()[-1]["subject"] == "Your password was changed"

    def test_password_needs_the_old_one(self, asa_client: Client) -> None:
        answer = asa_client.post(reverse("account_change_password"), {"oldpassword": "wrong", "password1": "nine wooden spoons"})
        assert "This is not your current password" in answer.text

    def _reauthenticate(self, client: Client) -> None:
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    def test_email_needs_the_password_again_and_a_code_from_the_new_address(self, asa: Person, asa_client: Client) -> None:
        asked = asa_client.post(reverse("account_email"), {"action_add": "yes", "email": "asa.new@example.com"})
        assert asked["Location"].startswith(reverse("account_reauthenticate"))
        assert not mails()
        self._reauthenticate(asa_client)
        asa_client.post(reverse("account_email"), {"action_add": "yes", "email": "Asa.New@example.com"})
        mail = mails()[-1]
        assert mail["to"] == "asa.new@example.com"
        assert Person.objects.get(pk=asa.pk).email == "asa@example.com"
        asa_client.post(reverse("account_email_verification_sent"), {"action": "verify", "code": code_in(mail)})
        assert Person.objects.get(pk=asa.pk).email == "asa.new@example.com"
        assert list(EmailAddress.objects.filter(user=asa).values_list("email", "verified")) == [("asa.new@example.com", True)]
        told = mails()[-1]
        assert (told["to"], told["subject"]) == ("asa@example.com", "Your e-mail address was changed")

    def test_somebody_elses_address_looks_like_a_free_one(self, asa: Person, bo: Person, asa_client: Client) -> None:
        self._reauthenticate(asa_client)
        answer = asa_client.post(reverse("account_email"), {"action_add": "yes", "email": "bo@example.com"})
        assert answer["Location"] == reverse("account_email_verification_sent")
        code = code_in(mails()[-1])
        refused = asa_client.post(reverse("account_email_verification_sent"), {"action": "verify", "code": code})
        assert "cannot be used" in refused.text
        assert Person.objects.get(pk=asa.pk).email == "asa@example.com"


class TestMails:
    def test_say_who_writes_in_text_and_in_html(self, client: Client) -> None:
        client.post(reverse("account_signup"), sign_up_data())
        mail = mails()[-1]
        code = code_in(mail)
        assert mail["subject"] == f"{code} is your code for Hub"
        assert "Nobody from Hub ever asks you for it" in mail["text"]
        assert f">{code}</p>" in mail["html"]
        assert "<script" not in mail["html"]

    def test_a_hostile_name_cannot_write_in_them(self, client: Client, sign_up: Callable[..., Person]) -> None:
        client.post(reverse("account_signup"), sign_up_data(name="Click http://evil.example <b>now</b>"))
        assert "evil.example" not in mails()[-1]["text"] + mails()[-1]["html"]
