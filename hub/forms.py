"""The styleguide's form: one field of every kind."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms import AmountField


class ExampleForm(forms.Form):
    payee = forms.EmailField(label=_("E-mail"), help_text=_("Their sign-in address."))
    amount = AmountField(label=_("Amount"))
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    currency = forms.ChoiceField(label=_("Currency"), choices=[("EUR", "EUR – Euro"), ("SEK", "SEK – Swedish Krona")])
    code = forms.CharField(
        label=_("Code"),
        help_text=_("Six letters and digits from our mail."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )
    speed = forms.ChoiceField(label=_("When"), choices=[("now", _("Now")), ("later", _("Later"))], widget=forms.RadioSelect)
    agree = forms.BooleanField(label=_("I agree to the terms of use"))
    password = forms.CharField(label=_("Password"), widget=forms.PasswordInput)

    def clean_amount(self) -> str:
        raise forms.ValidationError(_("This currency has at most 2 decimals."))
