"""The family of refusals that people and partners are meant to see. Anything else is a fault and stays a 500."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class HubError(Exception):
    """
    A refusal with a stable code.

    `code` is snake_case and part of the API's contract; `http_status` is the API's status; `message` is for people, in
    their language; `field` names the input it belongs to (None: the whole form); `extra` is JSON-ready and goes into
    the problem document.
    """

    code: ClassVar[str] = "refused"
    http_status: ClassVar[int] = 400
    default_message: ClassVar[str | Promise] = _("This could not be done.")
    default_field: ClassVar[str | None] = None

    def __init__(self, message: str | Promise | None = None, *, field: str | None = None, **extra: Any) -> None:
        self.message: str | Promise = message if message is not None else self.default_message
        self.field = field if field is not None else self.default_field
        self.extra = extra
        super().__init__(self.code)

    def __str__(self) -> str:
        return str(self.message)


class NotFound(HubError):
    """Not there, or somebody else's: the two are never told apart."""

    code = "not_found"
    http_status = 404
    default_message = _("We could not find that.")


class Forbidden(HubError):
    """The person is known but may not do this."""

    code = "forbidden"
    http_status = 403
    default_message = _("You may not do this.")


class InputInvalid(HubError):
    """A value has the wrong shape."""

    code = "invalid"
    http_status = 422
    default_message = _("Check what you entered.")
