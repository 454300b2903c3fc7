"""Cleaning names and choosing categories: published shapes of bank text, and any text at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from budgeting.categorise import CATEGORIES, SPENDING, Why, categorise, category_of_note, clean, fold, rule_for
from budgeting.categorise.brands import _SERVICES, _TAGS, brand_of
from budgeting.categorise.codes import _RANGES, category_of_code
from budgeting.categorise.learning import Learned
from budgeting.categorise.words import _BANK, _SHOP, category_of_words
from core.icons import ICONS

# Pieces that banks write, so that the texts tried are not only noise.
PIECES = st.sampled_from(
    [
        "POS PURCHASE",
        "SQ *",
        "PAYPAL *",
        "4111 1111 1111 1111",
        "xxxx1234",
        "23/08/2023",
        "23 Aug",
        "LONDON GB",
        "GmbH",
        "#0042",
        "Ref: 9X",
        "Café",
        "ИКЕА",
        "宜家",
        "*",
        "(",
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=8).map(" ".join))


class TestCleaning:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ("POS PURCHASE SQ *BLUE CUP 0042 LONDON GB 23 AUG", "Blue Cup"),
            ("PAYPAL *SPOTIFY AB 35314369001", "Spotify"),
            ("CARD PAYMENT TO TESCO STORES 3297,12.50 GBP, RATE 1.00/GBP ON 12-03-2024", "Tesco Stores"),
            ("Kortköp 240312 ICA SUPERMARKET LUND", "Ica Supermarket"),
            ("KARTENZAHLUNG REWE SAGT DANKE 12345678 BERLIN DE", "Rewe Sagt Danke"),
            ("ACHAT CB CARREFOUR 12.03.24 PARIS FR", "Carrefour"),
            ("Recurring Card Purchase: Netflix.com Amsterdam (Card ) ", "Netflix.com"),
            ("Yoco *The Drum Ar  * 07 Sep", "The Drum Ar"),
            ("Zettle_*Anna's Ceramics", "Anna's Ceramics"),
            ("VISA DEBIT 4929********1234 H&M", "H&M"),
            ("SEPA Lastschrift DE89370400440532013000 Stadtwerke München GmbH", "Stadtwerke"),
            ("7-Eleven 23041 Stockholm SE", "7-Eleven"),
            ("Uber *Trip help.uber.com", "Uber *Trip help.uber.com"),
            ("KFC", "KFC"),
            ("", ""),
            ("   * 12/03  ", ""),
        ],
    )
    def test_leaves_the_name(self, written: str, name: str) -> None:
        assert clean(written).merchant.startswith(name) if len(name) > 8 else clean(written).merchant == name

    @pytest.mark.parametrize("secret", ["4111 1111 1111 1111", "4111111111111111", "XXXX1234", "**** 9876", "DE89 3704 0044 0532 0130 00"])
    def test_never_shows_a_card_or_an_account(self, secret: str) -> None:
        cleaned = clean(f"Card purchase Blue Cup {secret} 12 Mar")
        assert cleaned.merchant == "Blue Cup"
        assert cleaned.key == "blue cup"

    @pytest.mark.parametrize(
        "other", ["BLUE CUP", "Blue Cup  * 14 Oct", "pos purchase blue cup 0044", "SumUp  *Blue Cup", "Blue Cup AB", "Blue Cup London GB"]
    )
    def test_gives_every_spelling_one_key(self, other: str) -> None:
        assert clean(other).key == "blue cup"

    @settings(max_examples=400, deadline=None)
    @given(TEXTS)
    def test_never_fails_and_is_calm(self, text: str) -> None:
        cleaned = clean(text)
        assert len(cleaned.merchant) <= 80
        assert cleaned.merchant == cleaned.merchant.strip()
        assert cleaned.key == fold(cleaned.key)
        assert clean(text) == cleaned

    def test_a_hostile_text_takes_no_time(self) -> None:
        for text in ("1 " * 5000, "a" * 100_000, "*" * 9000, "DE89 " + "0000 " * 900, "(card " * 900):
            clean(text)


class TestCategories:
    def test_are_what_people_see(self) -> None:
        assert len(SPENDING) == 17
        assert {category.icon for category in CATEGORIES.values()} <= set(ICONS)

    def test_of_all_tables_exist(self) -> None:
        used = {*_TAGS, *_SERVICES, *_SHOP, *(category for category, _pattern in _BANK), *(category for *_range, category in _RANGES)}
        assert used <= set(CATEGORIES)

    @pytest.mark.parametrize(
        ("written", "more", "category", "why"),
        [
            ("LIDL SAGT DANKE 4711", {}, "groceries", Why.BRAND),
            ("Netflix.com", {}, "subscriptions", Why.BRAND),
            ("UBER EATS", {}, "eating_out", Why.BRAND),
            ("Uber *Trip", {}, "transport", Why.BRAND),
            ("AMZN Mktp DE*2K3LM", {}, "shopping", Why.BRAND),
            ("IKEA Älmhult", {}, "home", Why.BRAND),
            ("Dis-Chem Parow (Card )", {"country": "ZA"}, "health", Why.BRAND),
            ("Obscure Trading 17", {"mcc": "5812"}, "eating_out", Why.CODE),
            ("Obscure Trading 17", {"mcc": "9999"}, None, Why.NONE),
            ("International Processing Online Purchase Fee: Netflix.com ", {}, "fees", Why.BANK),
            ("ATM CASH 0042", {}, "cash", Why.BANK),
            ("LÖN MARS", {}, "income", Why.BANK),
            ("4th Avenue Coffee R  * 24 Oct", {}, "eating_out", Why.WORD),
            ("Stadtparkhaus Mitte", {}, "transport", Why.WORD),
            ("Xyzzy Qwop", {}, None, Why.NONE),
            ("", {}, None, Why.NONE),
        ],
    )
    def test_are_chosen_with_a_reason(self, written: str, more: dict[str, str], category: str | None, why: Why) -> None:
        guess = categorise(written, **more)  # type: ignore[arg-type]
        assert (guess.category, guess.why) == (category, why)
        assert (guess.confidence > 0) == (category is not None)

    def test_a_rule_comes_before_everything(self) -> None:
        rules = {"netflix com": "gifts", "blue": "leisure", "blue cup": "family"}
        assert categorise("Netflix.com", rules=rules).category == "gifts"
        assert categorise("Blue Cup 0042", mcc="5812", rules=rules).category == "family"
        assert rule_for("blue moon", rules) == "leisure"
        assert rule_for("bluegrass", rules) is None

    @pytest.mark.parametrize(
        ("code", "category"),
        [
            ("5411", "groceries"),
            ("3000", "travel"),
            ("742", "family"),
            ("0742", "family"),
            ("9999", None),
            ("x", None),
            ("", None),
            ("٥٤١١", None),
        ],
    )
    def test_of_merchant_codes(self, code: str, category: str | None) -> None:
        assert category_of_code(code) == category

    def test_of_merchant_codes_do_not_overlap(self) -> None:
        flat = [number for first, last, _category in _RANGES for number in (first, last)]
        assert flat == sorted(flat)

    @pytest.mark.parametrize(
        ("note", "category"), [("Lunch on Tuesday", "eating_out"), ("Hyra november", "housing"), ("thanks!", None), ("", None)]
    )
    def test_of_notes(self, note: str, category: str | None) -> None:
        assert category_of_note(note) == category

    @settings(max_examples=300, deadline=None)
    @given(TEXTS, st.sampled_from(["", "5411", "x", "99999"]), st.sampled_from(["", "GB", "za", "??"]))
    def test_no_text_makes_it_fail(self, text: str, mcc: str, country: str) -> None:
        guess = categorise(text, mcc=mcc, country=country)
        assert guess.category is None or guess.category in CATEGORIES
        assert 0 <= guess.confidence <= 1
        category_of_note(text)

    def test_namesakes_are_told_apart_by_country(self) -> None:
        assert brand_of(("clicks",), country="ZA") is not None
        assert category_of_words(("the", "cafe")) == ("eating_out", "cafe")


class TestLearning:
    def test_repeats_what_it_was_told_about_a_merchant(self) -> None:
        learned = Learned([("POS Purchase Blue Cup 0042", "leisure")])
        guess = learned.categorise("SQ *BLUE CUP 0077 LONDON")
        assert (guess.category, guess.why, guess.confidence) == ("leisure", Why.RULE, 1.0)

    def test_takes_over_other_peoples_names_for_categories(self) -> None:
        learned = Learned(
            [("Lidl 12", "Food"), ("Aldi Sued", "Food"), ("Shell 4711", "Car"), ("Esso Station", "Car"), ("Edeka Neukauf", "Food")]
        )
        assert learned.categorise("REWE Markt").category == "Food"
        assert learned.categorise("Aral Tankstelle").category == "Car"

    def test_keeps_the_hubs_own_answer_where_nothing_was_learned(self) -> None:
        learned = Learned([("Blue Cup", "leisure")])
        assert learned.categorise("Netflix.com").category == "subscriptions"

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(TEXTS, st.sampled_from(["groceries", "Food", "", "x" * 50])), max_size=5), TEXTS)
    def test_no_text_makes_it_fail(self, corrections: list[tuple[str, str]], text: str) -> None:
        assert 0 <= Learned(corrections).categorise(text).confidence <= 1


# What the labels of the published file are called here; those that name a way of paying and no purpose are left out.
OURS = {
    **dict.fromkeys(["Bank Charges and Fees", "Insufficient Funds Fee", "Interest Repayment", "Cash Deposit Fee"], "fees"),
    **dict.fromkeys(["Eating Out", "Fast Food & Takeouts", "Restaurants", "Coffee"], "eating_out"),
    **dict.fromkeys(["Transport", "Parking", "Fuel"], "transport"),
    **dict.fromkeys(["Health and Medical", "Personal Care"], "health"),
    **dict.fromkeys(["Entertainment", "Gambling"], "leisure"),
    "Groceries": "groceries",
    "Subscriptions": "subscriptions",
    "ATM and Cash Withdrawal": "cash",
    "Home and Garden": "home",
}


class TestRealDescriptions:
    def rows(self, samples: Path) -> list[dict[str, str]]:
        with (samples / "categorisation/real_descriptions.csv").open() as stream:
            return list(csv.DictReader(stream))

    def test_most_are_filed_right_without_any_help(self, samples: Path) -> None:
        rows = [row for row in self.rows(samples) if row["label"] in OURS]
        right = [row for row in rows if categorise(row["description"]).category == OURS[row["label"]]]
        wrong = [row for row in rows if categorise(row["description"]).category not in (None, OURS[row["label"]])]
        assert len(rows) > 150
        assert len(right) / len(rows) > 0.75
        assert len(wrong) / len(rows) < 0.10

    def test_corrections_help_with_others_of_their_kind(self, samples: Path) -> None:
        rows = self.rows(samples)
        right = 0
        for fold_number in range(5):
            learned = Learned([(row["description"], row["label"]) for at, row in enumerate(rows) if at % 5 != fold_number])
            right += sum(learned.categorise(row["description"]).category == row["label"] for row in rows[fold_number::5])
        assert right / len(rows) > 0.6


class TestCommand:
    def run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str | bytes, corrections: str = "") -> list[dict[str, Any]]:
        file, learn = tmp_path / "in.csv", tmp_path / "learn.csv"
        file.write_bytes(table if isinstance(table, bytes) else table.encode())
        more = []
        if corrections:
            learn.write_text(corrections)
            more = ["--corrections", str(learn)]
        call_command("categorise", str(file), "--json", *more)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    def test_prints_a_line_for_each_row(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        found = self.run(
            tmp_path, capsys, 'id,description,amount,mcc\na,"Netflix.com, Amsterdam",-9.99,\nb,Obscure 17,-5,5411\n,Xyzzy,1,\n'
        )
        assert found == [
            {"id": "a", "merchant": "Netflix", "category": "subscriptions", "confidence": 0.95, "why": "brand"},
            {"id": "b", "merchant": "Obscure", "category": "groceries", "confidence": 0.85, "why": "merchant_code"},
            {"id": "3", "merchant": "Xyzzy", "category": None, "confidence": 0.0, "why": "none"},
        ]

    def test_learns_corrections_first(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (found,) = self.run(tmp_path, capsys, "description\nNetflix.com\n", "description,category\nNETFLIX.COM,gifts\n")
        assert (found["category"], found["why"]) == ("gifts", "rule")

    @pytest.mark.parametrize(
        "table",
        [
            "﻿Description;Amount\nNetflix.com;-1\n",
            "description\tamount\r\nNetflix.com\t-1\r\n",
            "description\nNetflix.com\x00".encode("utf-16"),
            "description\nCaf\xe9 Netflix.com\n".encode("cp1252"),
        ],
    )
    def test_reads_what_spreadsheets_write(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str | bytes) -> None:
        assert len(self.run(tmp_path, capsys, table)) == 1

    @pytest.mark.parametrize("table", ["", "a,b\n1,2\n", "\x00\x01\x02", 'description\n"' + "x" * 1_100_000 + '"\n'])
    def test_refuses_what_is_no_table_of_descriptions(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str) -> None:
        with pytest.raises(SystemExit) as ended:
            self.run(tmp_path, capsys, table)
        assert ended.value.code == 2
        assert capsys.readouterr().err

    def test_refuses_files_that_are_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SystemExit) as ended:
            call_command("categorise", str(tmp_path / "nothing.csv"))
        assert ended.value.code == 2
