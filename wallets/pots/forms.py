"""The shape of what people type about pots."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.errors import HubError
from core.forms import AmountField, DayField, add_refusal
from core.ids import uuid7
from core.money import parse_amount
from wallets.pots.models import NAME_MAX


class PotForm(forms.Form):
    """`cleaned_data["goal"]` is Money in the wallet's currency, or None."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("Only you see it, for example Holiday or Rent."),
        max_length=NAME_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Give the pot a name.")},
    )
    goal = AmountField(label=_("Goal"), help_text=_("How much you want to put aside."), required=False)
    goal_on = DayField(
        label=_("By when"),
        help_text=_("We say how much that is each month."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a day.")},
    )
    # Made with the form and kept while it is corrected, so that sending it twice opens one pot.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        typed = data.get("goal", "")
        data["goal"] = None
        if typed:
            try:
                data["goal"] = parse_amount(typed, self.currency)
            except HubError as error:
                error.field = "goal"
                add_refusal(self, error)
        return data


class PotAmountForm(forms.Form):
    """Putting in and taking out; `cleaned_data["money"]` is in the pot's currency."""

    amount = AmountField(label=_("Amount"), error_messages={"required": _("Enter an amount.")})
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "amount" in data:
            try:
                data["money"] = parse_amount(data["amount"], self.currency)
            except HubError as error:
                add_refusal(self, error)
        return data
