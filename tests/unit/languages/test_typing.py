"""What people type in the digits of their own script is understood."""

from __future__ import annotations

from datetime import date

import pytest
from django import forms

from core.forms import DayField
from payments.errors import IbanInvalid
from payments.services.bank_accounts import iban_check


class TestDays:
    @pytest.mark.parametrize(
        "typed", ["2026-11-21", " 2026-11-21 ", "۲۰۲۶-۱۱-۲۱", "٢٠٢٦-١١-٢١", "２０２６-１１-２１", "1405-08-30", "۱۴۰۵-۰۸-۳۰", "۱۴۰۵/۸/۳۰"]
    )
    def test_are_read(self, typed: str) -> None:
        assert DayField().clean(typed) == date(2026, 11, 21)

    @pytest.mark.parametrize("typed", ["1405-13-01", "1405-12-31", "۱۴۰۵-۰۰-۱۰", "2026-02-30", "x", "۱۴۰۵"])
    def test_that_do_not_exist_are_refused(self, typed: str) -> None:
        with pytest.raises(forms.ValidationError):
            DayField().clean(typed)

    def test_may_be_left_out(self) -> None:
        assert DayField(required=False).clean("") is None


def test_an_iban_may_be_typed_in_persian_digits() -> None:
    plain = "SE4550000000058398257466"
    assert iban_check("se۴۵ ۵۰۰۰ ۰۰۰۰ ۰۵۸۳ ۹۸۲۵ ۷۴۶۶") == plain
    with pytest.raises(IbanInvalid):
        iban_check("se۴۶ ۵۰۰۰ ۰۰۰۰ ۰۵۸۳ ۹۸۲۵ ۷۴۶۶")
