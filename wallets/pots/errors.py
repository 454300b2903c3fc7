"""Refusals about pots."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import HubError, InputInvalid, NotFound


class PotNotFound(NotFound):
    code = "pot_not_found"
    default_message = _("We could not find this pot.")


class PotClosed(HubError):
    code = "pot_closed"
    http_status = 409
    default_message = _("This pot is closed.")


class PotsTooMany(HubError):
    """A wallet has room for so many open pots."""

    code = "pots_too_many"
    http_status = 409
    default_message = _("This account has as many pots as it can have. Close one first.")


class PotNameInvalid(InputInvalid):
    """No name, one that is too long, or one with characters that cannot be shown."""

    code = "pot_name_invalid"
    default_field = "name"
    default_message = _("Give the pot a name of at most 40 characters.")


class PotGoalInvalid(InputInvalid):
    """A day without an amount, or a day that is not one of the next hundred years."""

    code = "pot_goal_invalid"
    default_field = "goal_on"
    default_message = _("A day needs an amount, and has to lie in the future.")
