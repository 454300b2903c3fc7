"""Form fields and the one way in which a refusal becomes a form error."""

from __future__ import annotations

from typing import Any

from django import forms

from core.errors import HubError


def add_refusal(form: forms.BaseForm, error: HubError) -> None:
    """Put the refusal at the field it names, or at the top of the form when the form has no such field."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, forms.ValidationError(str(error.message), code=error.code))


class AmountField(forms.CharField):
    """An amount as typed; the form's `clean` turns it into Money once the currency is known."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 64, "strip": True, **kwargs})
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})
