"""The shape of what people type on the pages of budgeting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from budgeting.categorise import CATEGORIES, SPENDING
from core.errors import HubError
from core.formatting import money_input
from core.forms import AmountField, add_refusal
from core.money import Money, parse_amount


class BudgetsForm(forms.Form):
    """One amount for every spending category, empty for none; `cleaned_data["amounts"]` maps codes to Money or None."""

    def __init__(self, *args: Any, currency: str, held: Mapping[str, Money], hints: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        for code in SPENDING:
            self.fields[code] = AmountField(
                label=CATEGORIES[code].name,
                required=False,
                initial=money_input(held[code]) if code in held else "",
                help_text=hints.get(code, ""),
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        amounts: dict[str, Money | None] = {}
        for code in SPENDING:
            typed = data.get(code, "")
            try:
                amounts[code] = parse_amount(typed, self.currency) if typed else None
            except HubError as error:
                error.field = code
                add_refusal(self, error)
        return {**data, "amounts": amounts}


class FilingForm(forms.Form):
    category = forms.ChoiceField(
        label=_("Category"), choices=[], error_messages={"required": _("Choose a category."), "invalid_choice": _("Choose a category.")}
    )
    always = forms.BooleanField(label="", required=False)

    def __init__(self, *args: Any, always_label: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(category.code, category.name) for category in CATEGORIES.values()]
        if always_label:
            self.fields["always"].label = always_label
            self.fields["always"].help_text = _("Those that were paid already, and those to come.")
        else:
            del self.fields["always"]
