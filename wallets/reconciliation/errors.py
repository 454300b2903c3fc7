"""Refusals of reconciliation."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import HubError, InputInvalid, NotFound


class AccountNotFound(NotFound):
    code = "account_not_found"
    default_field = "account"
    default_message = _("There is no such account in this currency.")


class FileRefused(InputInvalid):
    """`extra["reason"]` is the reader's code (docs/statements.md), `extra["line"]` where it was seen."""

    code = "statement_refused"
    default_field = "file"
    default_message = _("This file cannot be read as a statement.")


class FileEmpty(InputInvalid):
    """It says neither a period nor a movement, so there is nothing to compare."""

    code = "statement_empty"
    default_field = "file"
    default_message = _("There is nothing in this file to compare.")


class FileOfAnotherCurrency(InputInvalid):
    code = "statement_currency"
    default_field = "file"
    default_message = _("The file is in another currency than the account.")


class AlreadyResolved(HubError):
    code = "already_resolved"
    http_status = 409
    default_message = _("This was resolved before.")


class NoteRequired(InputInvalid):
    code = "note_required"
    default_field = "note"
    default_message = _("Say in a few words what it was, at most 500 characters.")
