"""Form fields and the one way in which a refusal becomes a form error."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import jdatetime
from django import forms

from core.errors import HubError
from core.money import ascii_digits

_JALALI = re.compile(r"(1[34][0-9]{2})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")


def add_refusal(form: forms.BaseForm, error: HubError) -> None:
    """Put the refusal at the field it names, or at the top of the form when the form has no such field."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, forms.ValidationError(str(error.message), code=error.code))


class DayField(forms.DateField):
    """
    A day, typed with digits of any script: "2026-11-21", "۲۰۲۶-۱۱-۲۱".

    A year of the 1300s or 1400s is one of the Jalali calendar ("۱۴۰۵/۰۸/۳۰"): no day that anybody types here is a Gregorian one of
    that age. Browsers with a picker send ISO 8601 whatever they show.
    """

    def to_python(self, value: Any) -> date | None:
        if isinstance(value, str):
            value = ascii_digits(value.strip())
            if jalali := _JALALI.fullmatch(value):
                return self._gregorian(*map(int, jalali.groups()))
        return super().to_python(value)

    def _gregorian(self, year: int, month: int, day: int) -> date:
        try:
            found: date = jdatetime.date(year, month, day).togregorian()
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
        return found


class AmountField(forms.CharField):
    """An amount as typed; the form's `clean` turns it into Money once the currency is known."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 64, "strip": True, **kwargs})
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})
