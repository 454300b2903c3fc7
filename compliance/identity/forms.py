"""The shape of what people say about who they are; what can be true is compliance.identity.checks' business."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from compliance.identity.checks import ADDRESS_MAX, Submission
from compliance.identity.countries import country_choices
from compliance.identity.models import DocumentKind
from core.forms import DayField


def _text(label: Any, *, autocomplete: str, required: Any = "", **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        error_messages={"required": required} if required else {},
        widget=forms.TextInput(attrs={"autocomplete": autocomplete, "spellcheck": "false"}),
        **more,
    )


class IdentityForm(forms.Form):
    legal_name = _text(
        _("Your whole name"),
        autocomplete="name",
        max_length=100,
        required=_("Write your whole name."),
        help_text=_("As it stands in your document."),
    )
    birth_date = DayField(
        label=_("Birth date"),
        # One reading only: 09/07/85 is July in one country and September in another.
        input_formats=["%Y-%m-%d"],
        error_messages={"required": _("Choose the day you were born."), "invalid": _("Write the date as year-month-day, like 1990-05-17.")},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "bday", "min": "1900-01-01"}),
    )
    street = _text(
        _("Street and number"), autocomplete="address-line1", max_length=ADDRESS_MAX, required=_("Write the street and the number.")
    )
    postcode = _text(
        _("Postcode"), autocomplete="postal-code", max_length=20, required="", help_text=_("Leave it empty where there are none.")
    )
    city = _text(_("Town"), autocomplete="address-level2", max_length=ADDRESS_MAX, required=_("Write the town."))
    country = forms.ChoiceField(
        label=_("Country where you live"),
        error_messages={"required": _("Choose the country where you live.")},
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    document_kind = forms.ChoiceField(
        label=_("Document"),
        choices=DocumentKind.choices,
        error_messages={"required": _("Choose a document.")},
        widget=forms.RadioSelect,
        help_text=_("A personal number is the one your country gave you for life. It is checked best."),
    )
    document_country = forms.ChoiceField(
        label=_("Country that issued it"), error_messages={"required": _("Choose the country that issued the document.")}
    )
    document_number = _text(_("Number"), autocomplete="off", max_length=40, required=_("Write the number of the document."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["postcode"].required = False
        countries = [("", _("Choose")), *country_choices(get_language() or "en")]
        for name in ("country", "document_country"):
            self.fields[name].choices = countries  # type: ignore[attr-defined]

    @property
    def submission(self) -> Submission:
        return Submission(**self.cleaned_data)

    @staticmethod
    def initial_of(said: Submission) -> dict[str, Any]:
        """What was given before, without the number: whoever looks over a shoulder should not read it."""
        fields = ("legal_name", "birth_date", "street", "postcode", "city", "country", "document_kind", "document_country")
        values: dict[str, str | date] = {field: getattr(said, field) for field in fields}
        return values
