"""Which statement: a period and a format, in the address."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.forms import DayField
from wallets.statements.errors import PeriodInvalid
from wallets.statements.periods import FIRST_DAY, LAST_DAY, Period

_DAYS = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
_ERRORS = {"required": _("Enter a day."), "invalid": _("Enter a day.")}


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return DayField(label=label, validators=_DAYS, widget=widget, error_messages=_ERRORS)


class PeriodForm(forms.Form):
    """`cleaned_data["period"]` is the Period; "from" is a word of Python's, so fields have the names of the address here."""

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["from"], self.fields["to"] = _day(pgettext_lazy("day", "From")), _day(pgettext_lazy("day", "To"))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = data.get("from"), data.get("to")
        if isinstance(since, date) and isinstance(until, date):
            try:
                data["period"] = Period(since, until, self.zone)
            except PeriodInvalid as error:
                self.add_error("to", forms.ValidationError(str(error.message), code=error.code))
        return data
