"""Refusals about statements."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import HubError, InputInvalid


class PeriodInvalid(InputInvalid):
    """The first day is after the last, or a day lies outside of what dates can hold here."""

    code = "period_invalid"
    default_field = "to"
    default_message = _("The last day has to be the first one or a later one.")


class StatementTooLong(HubError):
    """More lines than a PDF is made for."""

    code = "statement_too_long"
    http_status = 422
    default_field = "format"
    default_message = _("This period has too many lines for a PDF. Choose a shorter one, or another format.")
