"""Why there is no seal or no proof."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import HubError, NotFound


class SealNotFound(NotFound):
    code = "seal_not_found"
    default_message = _("There is no such seal.")


class NotSealedYet(HubError):
    """A seal is made every few seconds; a transaction that is still open can hold it up."""

    code = "not_sealed_yet"
    http_status = 409
    default_message = _("This movement is so new that it is not sealed yet. Try again in a minute.")
