from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import values
from accounts.emails import email_canonical
from accounts.errors import EmailInvalid, HandleInvalid, HandleTaken, NameInvalid


class TestEmail:
    @pytest.mark.parametrize(
        "spelling",
        ["Asa@Example.com", "  asa@EXAMPLE.COM ", "ａｓａ@example.com", "asa@example．com", "asa@ｅxample.com", "ASA@example.com"],
    )
    def test_spellings_of_one_address_are_one(self, spelling: str) -> None:
        assert values.email_checked(spelling) == "asa@example.com"

    def test_a_domain_has_one_form(self) -> None:
        composed, decomposed = "asa@\u00e5ngstr\u00f6m.example", "asa@a\u030angstro\u0308m.example"
        assert email_canonical(composed) == email_canonical(decomposed) == "asa@xn--ngstrm-hua5l.example"

    @pytest.mark.parametrize(
        "bad", ["", "asa", "asa@", "@example.com", "a b@example.com", "asa@exa\x00mple.com", "asa@" + "a" * 300 + ".com", "åsa@example.com"]
    )
    def test_what_is_no_address_is_refused(self, bad: str) -> None:
        with pytest.raises(EmailInvalid):
            values.email_checked(bad)

    @given(st.text(max_size=80))
    def test_hostile_text_is_an_address_or_refused(self, text: str) -> None:
        try:
            email = values.email_checked(text)
        except EmailInvalid:
            return
        assert email == email_canonical(email)
        assert email.isascii()


class TestName:
    def test_is_one_line_without_tricks(self) -> None:
        assert values.name_checked("  Åsa\n\tLindgren \u202e\u200b") == "Åsa Lindgren"

    def test_keeps_the_joiners_that_persian_names_need(self) -> None:
        assert values.name_checked("علی\u200cرضا") == "علی\u200cرضا"

    @pytest.mark.parametrize("bad", ["", "   ", "\u202e", "...", "x" * 101])
    def test_refuses_what_is_no_name(self, bad: str) -> None:
        with pytest.raises(NameInvalid):
            values.name_checked(bad)

    @given(st.text(max_size=200))
    def test_hostile_text_is_a_name_or_refused(self, text: str) -> None:
        try:
            name = values.name_checked(text)
        except NameInvalid:
            return
        assert values.name_checked(name) == name

    @pytest.mark.parametrize(("name", "shown"), [("Åsa Maria Lindgren", "Åsa L."), ("Åsa", "Åsa"), ("王小明", "王小明"), ("", "")])
    def test_others_see_first_name_and_initial(self, name: str, shown: str) -> None:
        assert values.public_name(name) == shown


class TestHandle:
    @pytest.mark.parametrize(
        ("typed", "handle"), [("@Asa", "asa"), ("asa_l", "asa_l"), ("a.s.a", "a.s.a"), ("ＡＳＡ", "asa"), ("x" * 30, "x" * 30)]
    )
    def test_is_folded(self, typed: str, handle: str) -> None:
        assert values.handle_checked(typed) == handle

    @pytest.mark.parametrize("bad", ["", "ab", "x" * 31, ".asa", "asa.", "a..b", "åsa", "a b c", "as\x00a", "аsa", "@@asa"])
    def test_wrong_shapes_are_refused(self, bad: str) -> None:
        with pytest.raises(HandleInvalid):
            values.handle_checked(bad)

    @pytest.mark.parametrize("reserved", ["admin", "Support", "a_d_m_i_n", "help.desk", "hub", "no_reply"])
    def test_the_house_keeps_some(self, reserved: str) -> None:
        with pytest.raises(HandleTaken):
            values.handle_checked(reserved)


class TestGuesses:
    @pytest.mark.parametrize(
        ("header", "region", "currency", "zone"),
        [
            ("sv-SE,sv;q=0.9", "SE", "SEK", "Europe/Stockholm"),
            ("fa", "IR", "IRR", "Asia/Tehran"),
            ("zh-Hans-CN", "CN", "CNY", "Asia/Shanghai"),
            ("en-US", "US", "USD", "America/New_York"),
            ("", None, "EUR", "Europe/Berlin"),
            ("*;q=0.1, \x00, !!", None, "EUR", "Europe/Berlin"),
        ],
    )
    def test_follow_the_browser(self, header: str, region: str | None, currency: str, zone: str) -> None:
        assert values.region_guess(header) == region
        assert values.currency_guess(region, default="EUR") == currency
        assert values.time_zone_guess(region, default="Europe/Berlin") == zone

    @given(st.text(max_size=60))
    def test_never_fail(self, header: str) -> None:
        values.time_zone_guess(values.region_guess(header), default="UTC")
