"""Text for a PDF: joined, in the right order, and in a font that has it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallets.statements.pdf_text import BOLD, CHINESE, EUROPEAN, MISSING, REGULAR, fitted, laid_out, runs, width


def plain(drawn: str) -> str:
    """Shapes back to letters, for comparing."""
    return unicodedata.normalize("NFKC", drawn)


class TestOrder:
    @pytest.mark.parametrize(
        ("text", "drawn"),
        [
            ("Lunch (2)", "Lunch (2)"),
            ("שלום", "םולש"),
            ("שלום (2)", "(2) םולש"),
            ("12 שלום 34", "34 םולש 12"),
            ("Pay שלום now", "Pay םולש now"),
            ("שלום Pizza 24", "Pizza 24 םולש"),
            ("שלום Pizza (24)!", "!(Pizza (24 םולש"),
            ("\u200e\u221212.50 €", "\u221212.50 €"),
            ("50% שלום", "םולש 50%"),
            ("", ""),
        ],
    )
    def test_is_that_of_the_first_letter(self, text: str, drawn: str) -> None:
        assert laid_out(text, rtl=False) == drawn

    def test_of_what_has_no_letter_is_the_pages(self) -> None:
        assert laid_out("(1) 2", rtl=False) == "(1) 2"
        assert laid_out("(1) 2", rtl=True) == "2 (1)"

    @settings(max_examples=300, deadline=None)
    @given(text=st.text(alphabet=st.sampled_from("abc 12.,()-+€אבגدسל۱۲%"), max_size=30), rtl=st.booleans())
    def test_loses_and_makes_nothing(self, text: str, rtl: bool) -> None:
        flat = " ".join(text.split())
        mirrored = str.maketrans("()", "((")
        assert sorted(plain(laid_out(text, rtl=rtl)).translate(mirrored)) == sorted(flat.translate(mirrored))


class TestJoining:
    def test_gives_each_letter_the_shape_of_its_place(self) -> None:
        assert laid_out("سلام", rtl=True) == "ﻡﻼﺳ"
        assert laid_out("می‌روم", rtl=True) == "ﻡﻭﺭﯽﻣ"  # the joint is broken where the writer broke it
        assert laid_out("گچپژ", rtl=True) == "ﮋﭙﭽﮔ"

    def test_passes_over_marks(self) -> None:
        assert plain(laid_out("مُحَمَّد", rtl=True)).replace("\u064f", "") != ""
        assert "\ufee3" in laid_out("مُحمد", rtl=True)


class TestFonts:
    def test_are_found_for_each_character(self) -> None:
        assert [name for name, _part in runs("Åé€−", REGULAR)] == [REGULAR]
        assert [name for name, _part in runs("aб李", BOLD)] == [BOLD, EUROPEAN, CHINESE]

    def test_mark_what_none_has(self) -> None:
        assert runs("a\U0001f600", REGULAR) == [(REGULAR, "a"), (EUROPEAN, MISSING)]


class TestFitting:
    @settings(max_examples=100, deadline=None)
    @given(text=st.text(alphabet=st.sampled_from("abW i李ش "), max_size=120))
    def test_keeps_every_word_and_the_room(self, text: str) -> None:
        found = fitted(text, REGULAR, 8, 60)
        assert "".join(found).replace(" ", "") == text.replace(" ", "")
        assert all(width(laid_out(line, rtl=False), REGULAR, 8) <= 62 for line in found)
