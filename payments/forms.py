"""The shape of what people type on the pages of sending and topping up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.errors import HubError
from core.forms import AmountField, DayField, add_refusal
from core.ids import uuid7
from core.money import parse_amount
from payments.models import HOLDER_MAX, NOTE_MAX
from payments.selectors import Filters
from payments.services.bank_accounts import holder_check, iban_check


class PayeeForm(forms.Form):
    payee = forms.CharField(
        label=_("E-mail address or handle"),
        help_text=_("Of somebody with an account here, for example name@example.com or @name."),
        max_length=254,
        error_messages={"required": _("Enter an e-mail address or a handle.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}),
    )


class BankPayeeForm(forms.Form):
    holder = forms.CharField(
        label=_("Name of the account’s holder"),
        max_length=HOLDER_MAX,
        error_messages={"required": _("Enter the name of the account’s holder, at most 70 characters.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    iban = forms.CharField(
        label=_("IBAN"),
        help_text=_("It begins with two letters for the country. Blanks do not matter."),
        max_length=50,
        error_messages={"required": _("Enter an IBAN.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    def clean_iban(self) -> str:
        return _refused_by(iban_check, self.cleaned_data["iban"])

    def clean_holder(self) -> str:
        return _refused_by(holder_check, self.cleaned_data["holder"])


def _refused_by(check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except HubError as error:
        raise forms.ValidationError(str(error.message), code=error.code) from error


class WalletAmountForm(forms.Form):
    """
    An amount and the wallet it belongs to; `cleaned_data["money"]` is in the wallet's currency.

    `currencies` are the wallets a person may choose, id to currency. With one there is nothing to choose, and no field.
    """

    amount = AmountField(label=_("Amount"), error_messages={"required": _("Enter an amount.")})

    def __init__(self, *args: Any, currencies: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currencies = dict(currencies)
        choices = list(self.currencies.items())
        self.fields["wallet"] = forms.ChoiceField(
            label=_("Account"), choices=choices, widget=forms.Select if len(choices) > 1 else forms.HiddenInput
        )
        if choices:
            self.fields["wallet"].initial = choices[0][0]

    @property
    def single_currency(self) -> str:
        return next(iter(self.currencies.values())) if len(self.currencies) == 1 else ""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "wallet" in data and "amount" in data:
            try:
                data["money"] = parse_amount(data["amount"], self.currencies[data["wallet"]])
            except HubError as error:
                add_refusal(self, error)
        return data


class SendAmountForm(WalletAmountForm):
    note = forms.CharField(
        label=_("Note"),
        help_text=_("They see it too."),
        required=False,
        max_length=NOTE_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class TopUpForm(WalletAmountForm):
    # Made with the form and kept while it is corrected, so that sending it twice starts one top-up.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)


# Beyond, a day more or another zone leaves what dates can hold.
_DAYS = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


class ActivityFilterForm(forms.Form):
    """Filters that live in the address; whatever cannot be read there is ignored."""

    DIRECTIONS = (("", _("All")), ("in", _("In")), ("out", _("Out")))

    q = forms.CharField(
        label=_("Search"), required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"})
    )
    direction = forms.ChoiceField(required=False, choices=DIRECTIONS)
    since = DayField(
        label=pgettext_lazy("day", "From"),
        required=False,
        validators=_DAYS,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = DayField(
        label=pgettext_lazy("day", "To"),
        required=False,
        validators=_DAYS,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    @property
    def unfiltered(self) -> Filters:
        return Filters(time_zone=timezone.get_current_timezone_name())

    @property
    def filters(self) -> Filters:
        """What of it makes sense; nonsense in the address filters nothing."""
        self.is_valid()
        data = self.cleaned_data
        return replace(
            self.unfiltered,
            text=data.get("q") or "",
            direction=data.get("direction") or "",
            from_date=data.get("since"),
            to_date=data.get("until"),
        )
