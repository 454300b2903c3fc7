"""What can be true, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib import import_module

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from compliance.identity.checks import Submission, age_on, submission_check
from compliance.identity.countries import COUNTRIES, country_choices
from compliance.identity.numbers import (
    PERSONAL,
    NumberImpossible,
    birth_date_contradicts,
    document_number_check,
    personal_number_check,
)

TODAY = date(2026, 3, 11)
GOOD = Submission(
    legal_name="Åsa Maria Lind", birth_date=date(1985, 7, 9), country="SE", street="Storgatan 1", postcode="111 22", city="Stockholm",
    document_kind="personal_number", document_country="SE", document_number="850709-9805",
)  # fmt: skip


def codes(**changes: object) -> list[tuple[str | None, str]]:
    return [(problem.field, problem.code) for problem in submission_check(replace(GOOD, **changes), today=TODAY).problems]  # type: ignore[arg-type]


class TestSubmission:
    def test_that_is_true_passes_in_canonical_form(self) -> None:
        outcome = submission_check(replace(GOOD, street="  Storgatan   1 "), today=TODAY)
        assert (outcome.problems, outcome.format_known) == ([], True)
        assert outcome.said.street == "Storgatan 1"

    def test_every_problem_is_named_at_once(self) -> None:
        assert codes(legal_name="X", country="XX", street=" ", document_number="850709-9806") == [
            ("legal_name", "legal_name_invalid"),
            ("country", "country_unknown"),
            ("street", "address_invalid"),
            ("document_number", "document_number_invalid"),
        ]

    def test_a_number_with_another_birth_date_is_refused_at_the_number(self) -> None:
        assert codes(birth_date=date(1985, 7, 8)) == [("document_number", "birth_date_contradicts")]

    @pytest.mark.parametrize("name", ["", "A", "R2 D2", "12345", "a" * 101])
    def test_names_that_are_none(self, name: str) -> None:
        assert ("legal_name", "legal_name_invalid") in codes(legal_name=name)

    def test_control_characters_are_not_kept(self) -> None:
        assert submission_check(replace(GOOD, legal_name="Åsa\x00 \u202eLind"), today=TODAY).said.legal_name == "Åsa Lind"

    @pytest.mark.parametrize("name", ["Li", "O'Brien", "María-José Núñez", "علی رضایی", "王小明", "Þórður"])
    def test_names_that_are(self, name: str) -> None:
        assert codes(legal_name=name) == []

    @pytest.mark.parametrize("country", ["", "XX", "XK", "EU", "UK", "ZZ", "se", "SWE", "\x00\x00"])
    def test_countries_that_are_none(self, country: str) -> None:
        assert ("country", "country_unknown") in codes(country=country)

    def test_a_document_kind_of_somebody_elses_making(self) -> None:
        assert codes(document_kind="library_card") == [("document_kind", "document_kind_unknown")]

    def test_no_postcode_is_fine_where_there_are_none(self) -> None:
        assert codes(postcode="") == []


class TestAge:
    def number(self, born: date) -> dict[str, object]:
        return {"birth_date": born, "document_kind": "passport", "document_number": "AB123456"}

    def test_eighteen_today_is_old_enough_and_tomorrow_is_not(self) -> None:
        assert codes(**self.number(date(2008, 3, 11))) == []
        assert codes(**self.number(date(2008, 3, 12))) == [("birth_date", "too_young")]

    def test_the_twenty_ninth_of_february(self) -> None:
        assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
        assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18

    @pytest.mark.parametrize("born", [date(2026, 3, 12), date(9999, 1, 1), date(1900, 1, 1), date(1, 1, 1)])
    def test_nobody_is_born_tomorrow_or_older_than_anybody(self, born: date) -> None:
        assert codes(**self.number(born)) == [("birth_date", "birth_date_impossible")]


# Published examples and numbers made by the official rule; the date is the one they carry.
NUMBERS = [
    ("SE", "8803200016", date(1988, 3, 20)),
    ("SE", "880320-0016", date(1988, 3, 20)),
    ("FI", "131052-308T", date(1952, 10, 13)),
    ("PL", "44051401359", date(1944, 5, 14)),
    ("DK", "211062-5629", date(1962, 10, 21)),
    ("NO", "15108695088", date(1986, 10, 15)),
    ("EE", "36805280109", date(1968, 5, 28)),
    ("LT", "33309240064", date(1933, 9, 24)),
    ("BG", "752316 926 3", date(1875, 3, 16)),
    ("RO", "1630615123457", date(1963, 6, 15)),
    ("CZ", "710319/2745", date(1971, 3, 19)),
    ("IT", "RCCMNL83S18D969H", date(1983, 11, 18)),
    ("BE", "85.07.30-033 28", date(1985, 7, 30)),
    ("IS", "120174-3399", date(1974, 1, 12)),
    ("FR", "2 95 10 99 126 111 93", date(1995, 10, 3)),
    ("CN", "360426199101010071", date(1991, 1, 1)),
    ("ZA", "7503305044089", date(1975, 3, 30)),
    ("MX", "BOXW310820HNERXN09", date(1931, 8, 20)),
]
WITHOUT_DATE = [
    ("ES", "54362315K"), ("NL", "1112.22.333"), ("BR", "390.533.447-05"), ("PT", "00000000 0 ZZ4"), ("DE", "36 574 261 809"),
    ("TR", "17291716060"), ("US", "536-90-4399"),
]  # fmt: skip


class TestPersonalNumbers:
    @pytest.mark.parametrize(("country", "number", "born"), NUMBERS)
    def test_are_known_with_their_birth_date(self, country: str, number: str, born: date) -> None:
        checked = personal_number_check(country, number)
        assert checked.known
        assert not birth_date_contradicts(country, checked.number, born)

    @pytest.mark.parametrize(("country", "number", "born"), NUMBERS)
    def test_of_another_month_contradict(self, country: str, number: str, born: date) -> None:
        checked = personal_number_check(country, number)
        other = born.replace(day=1, month=born.month % 12 + 1)
        assert birth_date_contradicts(country, checked.number, other)

    @pytest.mark.parametrize(("country", "number", "born"), [row for row in NUMBERS if row[0] in ("PL", "EE", "FI", "CN", "RO", "IS")])
    def test_that_say_the_century_contradict_another_one(self, country: str, number: str, born: date) -> None:
        assert birth_date_contradicts(country, personal_number_check(country, number).number, born.replace(year=born.year + 100))

    @pytest.mark.parametrize(("country", "number"), WITHOUT_DATE)
    def test_without_a_date_contradict_nobody(self, country: str, number: str) -> None:
        checked = personal_number_check(country, number)
        assert checked.known
        assert not birth_date_contradicts(country, checked.number, date(1990, 1, 1))

    # Denmark gave its check digit up in 2007.
    @pytest.mark.parametrize(("country", "number"), [row[:2] for row in NUMBERS if row[0] != "DK"])
    def test_with_one_digit_wrong_are_impossible(self, country: str, number: str) -> None:
        last = number[-1]
        wrong = number[:-1] + ("1" if last != "1" else "2") if last.isdigit() else number[:-1] + ("A" if last != "A" else "B")
        with pytest.raises(NumberImpossible):
            personal_number_check(country, wrong)

    def test_are_read_in_the_digits_of_other_scripts(self) -> None:
        assert personal_number_check("SE", "۸۸۰۳۲۰-۰۰۱۶").number == personal_number_check("SE", "880320-0016").number

    def test_of_other_countries_are_honestly_not_known(self) -> None:
        assert personal_number_check("JP", "1234 5678 9012") == document_number_check("1234 5678 9012")
        assert not personal_number_check("JP", "123456789012").known

    def test_every_module_is_there(self) -> None:
        for country, name in PERSONAL.items():
            assert country in COUNTRIES
            assert callable(import_module(f"stdnum.{name}").validate)

    @given(country=st.sampled_from(sorted(PERSONAL)), text=st.text(max_size=40))
    def test_any_text_is_a_number_or_impossible(self, country: str, text: str) -> None:
        try:
            checked = personal_number_check(country, text)
        except NumberImpossible:
            return
        birth_date_contradicts(country, checked.number, date(1990, 1, 1))


class TestOtherDocuments:
    @pytest.mark.parametrize("text", ["", "1", "abc", "ABCDEFG", "<script>1", "12\x0034", "9" * 31, "12;34"])
    def test_numbers_that_are_none(self, text: str) -> None:
        with pytest.raises(NumberImpossible):
            document_number_check(text)

    def test_are_kept_in_capitals_without_double_blanks(self) -> None:
        assert document_number_check(" ab  123456 ").number == "AB 123456"


class TestCountries:
    def test_are_those_of_the_standard(self) -> None:
        assert len(COUNTRIES) == 249
        assert set(Locale("en").territories) >= COUNTRIES

    def test_have_names_in_every_language(self) -> None:
        for language in ("en", "sv", "zh-hans", "fa"):
            names = dict(country_choices(language))
            assert len(names) == 249
            assert names["SE"] != "SE"
