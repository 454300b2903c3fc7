"""The shape of what people type about bills."""

from __future__ import annotations

from datetime import date, time
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.errors import HubError
from core.formatting import locale_for
from core.forms import AmountField, DayField, add_refusal
from core.money import Money, parse_amount
from payments.bills.models import NAME_MAX, NOTE_MAX, AmountKind, Bill, ShiftChoice
from payments.bills.schedule import Every, Shift, countries
from payments.bills.services import Terms, To
from payments.forms import WalletAmountForm

_DAYS = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
RHYTHMS = (
    ("week:1", _("Every week")),
    ("week:2", _("Every 2 weeks")),
    ("month:1", _("Every month")),
    ("month:2", _("Every 2 months")),
    ("month:3", _("Every 3 months")),
    ("month:6", _("Every 6 months")),
    ("month:12", _("Every year")),
)


def _country_choices() -> list[tuple[str, Any]]:
    names = locale_for(get_language() or "en").territories
    known = sorted(((code, str(names.get(code, code))) for code in countries()), key=lambda choice: choice[1].casefold())
    return [("", _("Weekends only")), *known]


class TermsForm(WalletAmountForm):
    name = forms.CharField(
        label=_("What is it for?"),
        help_text=_("Only you see this."),
        max_length=NAME_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    amount_kind = forms.ChoiceField(label=_("Each time"), choices=AmountKind.choices, initial=AmountKind.FIXED, widget=forms.RadioSelect)
    first_on = DayField(label=_("First payment"), validators=_DAYS, widget=_DATE, error_messages={"required": _("Enter a day.")})
    rhythm = forms.ChoiceField(label=_("How often"), choices=RHYTHMS, initial="month:1")
    last_day = forms.BooleanField(
        label=_("Always on the last day of the month"),
        help_text=_("Otherwise on the same day as the first payment; in a shorter month on its last day."),
        required=False,
    )
    last_on = DayField(
        label=_("Until"), help_text=_("Leave it empty to go on until you end it."), required=False, validators=_DAYS, widget=_DATE
    )
    shift = forms.ChoiceField(
        label=_("When the day is a weekend or a holiday, it is paid"),
        choices=ShiftChoice.choices,
        initial=Shift.NONE.value,
        widget=forms.RadioSelect,
    )
    country = forms.ChoiceField(label=_("Whose holidays"), choices=lazy(_country_choices, list), required=False)
    at = forms.TimeField(
        label=_("Time of day"),
        initial=time(8),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Where you live."),
    )
    note = forms.CharField(
        label=_("Note"),
        help_text=_("They see it too."),
        required=False,
        max_length=NOTE_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @property
    def terms(self) -> Terms:
        data = self.cleaned_data
        every, interval = data["rhythm"].split(":")
        money: Money = data["money"]
        return Terms(
            name=data["name"],
            note=data["note"],
            wallet_id=UUID(data["wallet"]),
            amount=money,
            up_to=data["amount_kind"] == AmountKind.UP_TO,
            every=Every(every),
            interval=int(interval),
            anchor=31 if data["last_day"] and every == "month" else None,
            first_on=data["first_on"],
            last_on=data["last_on"],
            shift=Shift(data["shift"]),
            country=data["country"] if data["shift"] != Shift.NONE.value else "",
            at=data["at"],
        )


class NextAmountForm(forms.Form):
    """How much this time; `period` is the one the person saw."""

    amount = AmountField(label=_("Amount this time"), error_messages={"required": _("Enter an amount.")})
    period = forms.CharField(widget=forms.HiddenInput, required=False, max_length=10)

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


def initial_of(bill: Bill, today: date) -> dict[str, Any]:
    """The form of a bill's own terms; its first day is the next one, since what is past cannot be agreed on."""
    rhythm = f"{bill.every}:{bill.interval}"
    following = next(iter(bill.plan.slots(after=today)), None)
    return {
        "name": bill.name,
        "note": bill.note,
        "wallet": str(bill.wallet_id),
        "amount": f"{bill.amount.decimal:f}",
        "amount_kind": bill.amount_kind,
        "rhythm": rhythm,
        "first_on": following.on_date if following and bill.first_on <= today else bill.first_on,
        "last_day": bill.anchor == 31,
        "last_on": bill.last_on,
        "shift": bill.shift,
        "country": bill.country,
        "at": bill.at,
    }


def to_of(payee: str, iban: str, holder: str) -> To:
    return To(payee=payee, iban=iban, holder=holder)
