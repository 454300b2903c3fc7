"""The shape of what people type on the pages of accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core import formatting


class WalletOpenForm(forms.Form):
    currency = forms.ChoiceField(
        label=_("Currency"),
        help_text=_("You can have one account in each currency."),
        error_messages={"required": _("Choose a currency."), "invalid_choice": _("Choose one of the currencies in the list.")},
    )

    def __init__(self, *args: Any, taken: frozenset[str] = frozenset(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [choice for choice in formatting.currency_choices(get_language() or "en") if choice[0] not in taken]
        self.fields["currency"].choices = [("", _("Choose a currency")), *choices]  # type: ignore[attr-defined]
