"""Refusals of bills. Each has a code of its own, and the input it belongs to."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from payments.errors import PaymentError


class NameRequired(PaymentError):
    code = "bill_name_required"
    default_field = "name"
    default_message = _("Give the bill a name, at most 60 characters.")


class PayeeRequired(PaymentError):
    """Neither or both of a party and a bank account."""

    code = "bill_payee_required"
    default_field = "payee"
    default_message = _("Say who is paid: somebody with an account here, or a bank account.")


class DateInPast(PaymentError):
    code = "date_in_past"
    default_field = "first_on"
    default_message = _("This day has passed. Choose today or a later day.")


class DateTooFar(PaymentError):
    code = "date_too_far"
    default_field = "first_on"
    default_message = _("This is more than ten years ahead.")


class LastBeforeFirst(PaymentError):
    """Between the two there is no day on which anything would be paid."""

    code = "last_before_first"
    default_field = "last_on"
    default_message = _("Nothing would ever be paid: the last day is before the first payment.")


class ScheduleInvalid(PaymentError):
    """A day, an interval, a country or a way of shifting that does not exist; `field` says which."""

    code = "schedule_invalid"
    default_message = _("Choose one of the days on offer.")


class AboveCap(PaymentError):
    """More than the person allowed for this bill; `extra` has no limit, because billers read it too."""

    code = "above_cap"
    default_field = "amount"
    default_message = _("This is more than the bill allows.")


class AmountFixed(PaymentError):
    code = "bill_amount_fixed"
    http_status = 409
    default_field = "amount"
    default_message = _("This bill has the same amount every time. Change the bill instead.")


class AmountMissing(PaymentError):
    """The day came and nobody had said how much."""

    code = "amount_missing"
    default_message = _("Nobody has said how much this time.")


class BillEnded(PaymentError):
    code = "bill_ended"
    http_status = 409
    default_message = _("This bill has ended.")


class BillNotWaiting(PaymentError):
    code = "bill_not_waiting"
    http_status = 409
    default_message = _("This bill is not waiting for approval any more.")


class NothingComing(PaymentError):
    """No payment of the bill is ahead that this could be about."""

    code = "bill_nothing_coming"
    http_status = 409
    default_message = _("No payment of this bill is coming that could be changed.")


class MandateExceeded(Exception):
    """A run asked for something its mandate does not cover. A fault, never a person's mistake."""
