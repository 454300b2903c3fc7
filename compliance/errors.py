"""Refusals of compliance."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import HubError
from core.money import Money


class LimitExceeded(HubError):
    """
    The party's level does not allow the amount; `extra` has window, direction, limit and what is left, both in minor
    units of `currency`.
    """

    code = "limit_exceeded"
    http_status = 422
    default_field = "amount"
    default_message = _("This is more than your limit allows.")

    _MESSAGES = {
        "payment": _("This is more than you can move in one payment."),
        "day": _("This is more than you can still move today."),
        "month": _("This is more than you can still move this month."),
        "balance": _("This would bring the balance above what it may be."),
    }

    def __init__(self, *, window: str, direction: str, limit: Money, left: Money) -> None:
        self.window, self.direction, self.limit, self.left = window, direction, limit, left
        super().__init__(
            self._MESSAGES[window], window=window, direction=direction, limit=limit.amount, left=left.amount, currency=limit.currency
        )


class LevelUnknown(HubError):
    """Not one of the levels."""

    code = "level_unknown"
    http_status = 422
    default_field = "level"
    default_message = _("There is no such level.")


class RuleInPast(HubError):
    """A limit cannot be changed for a time that is over: payments were judged by it."""

    code = "limit_rule_in_past"
    http_status = 422
    default_field = "active_from"
    default_message = _("A new limit can only start now or later.")


class CaseClosed(HubError):
    """Decided already."""

    code = "case_closed"
    http_status = 409
    default_message = _("This case is decided already.")


class CaseOwn(HubError):
    """Nobody decides about themselves."""

    code = "case_own"
    http_status = 403
    default_message = _("You cannot decide a case about yourself or a party you act for.")


class NotScreenedYet(HubError):
    """Only the screening process can say that a party is clear."""

    code = "case_not_screened"
    http_status = 409
    default_message = _("This party is not screened yet. The case settles itself when it is, or becomes one to decide.")


class DecisionUnknown(HubError):
    code = "decision_unknown"
    http_status = 422
    default_field = "decision"
    default_message = _("There is no such decision.")
