"""Refusals of payments. Each has a code of its own, and the input it belongs to."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import HubError


class PaymentError(HubError):
    code = "payment_refused"
    http_status = 422


class PayeeIsSelf(PaymentError):
    code = "payee_is_self"
    default_field = "payee"
    default_message = _("This is your own account. Choose somebody else to pay.")


class NoteTooLong(PaymentError):
    code = "note_too_long"
    default_field = "note"
    default_message = _("The note is too long. Use at most 140 characters.")


class IdempotencyKeyInvalid(PaymentError):
    code = "idempotency_key_invalid"
    default_field = None
    default_message = _("The idempotency key must have 1 to 255 characters.")


class IdempotencyConflict(PaymentError):
    """The key was used before, with other details."""

    code = "idempotency_conflict"
    http_status = 409
    default_message = _("This was sent before with other details. Start again.")


class NotWaitingForApproval(PaymentError):
    code = "payment_not_waiting"
    http_status = 409
    default_message = _("This payment is not waiting for approval any more.")


class NotReversible(PaymentError):
    """Not a posted transfer, or already reversed."""

    code = "payment_not_reversible"
    http_status = 409
    default_message = _("This payment cannot be reversed.")


class NotRefundable(PaymentError):
    """Not a settled top-up, or more than what is left of it."""

    code = "payment_not_refundable"
    http_status = 409
    default_message = _("This top-up cannot be refunded with this amount.")


class ProviderRefused(PaymentError):
    """The card provider cannot carry this; `extra` has its machine code."""

    code = "provider_refused"
    default_field = "amount"
    default_message = _("The card provider did not accept this top-up.")


class ProviderUnavailable(PaymentError):
    """No card provider is set up here."""

    code = "provider_unavailable"
    http_status = 503
    default_message = _("Card payments are not available at the moment.")


class IbanInvalid(PaymentError):
    code = "iban_invalid"
    default_field = "iban"
    default_message = _("This is not a valid IBAN. Check every letter and digit.")


class HolderRequired(PaymentError):
    code = "holder_required"
    default_field = "holder"
    default_message = _("Enter the name of the account’s holder, at most 70 characters.")


class BankRefused(PaymentError):
    """The bank does not carry this; `extra` has its machine code."""

    code = "bank_refused"
    default_field = "amount"
    default_message = _("The bank cannot carry this.")


class MismatchDecided(PaymentError):
    """Nothing is left to decide: it was decided, or the provider does not say any more that it was paid."""

    code = "mismatch_decided"
    http_status = 409
    default_message = _("There is nothing to decide about this top-up any more.")


class MismatchOwn(PaymentError):
    """Nobody decides about themselves."""

    code = "mismatch_own"
    http_status = 403
    default_message = _("You cannot decide about yourself or a party you act for.")


class DecisionImpossible(PaymentError):
    """The money was paid on a page that is not this payment's."""

    code = "decision_impossible"
    default_message = _("The provider reports a page that is not this payment's. It can only be closed.")


class ProviderMismatch(Exception):
    """A provider reports something else than what was asked for. A fault that staff look at; nothing is taken from either side."""


class MoveForbidden(Exception):
    """A payment's state was asked to go where it cannot go. A fault, never a person's mistake."""


# What is shown for Payment.failure_code; a code that is not here shows the last line.
FAILURES: dict[str, str | Promise] = {
    "card_declined": _("The card was declined."),
    "expired": _("The time to finish ran out."),
    "cancelled": _("It was cancelled."),
    "provider_unreachable": _("The card provider could not be reached. No money was moved."),
    "currency_not_supported": _("The card provider does not take this currency."),
    "amount_too_small": _("The amount is too small for a card payment."),
    "amount_too_large": _("The amount is too large for a card payment."),
    "amount_mismatch": _("The provider reported another amount. We are looking into it."),
    "reference_mismatch": _("The provider reported another payment. We are looking into it."),
    "mismatch_closed": _("It was not put into your account. If your card was charged, ask us."),
    "account_closed": _("The account was closed before the money arrived. It is kept safe."),
    "ceiling_exceeded": _("The account is at its limit. The money is kept safe and arrives when there is room."),
    "limit_exceeded": _("The money arrived late and is above a limit. It is kept safe and arrives when there is room."),
    "AC01": _("There is no such bank account. No money was moved."),
    "AC04": _("The bank account is closed. The money is back in your account."),
    "MS03": _("The other bank sent the money back. It is in your account."),
    "returned": _("The other bank sent the money back. It is in your account."),
    "bank_unreachable": _("The bank could not be reached. No money was moved."),
    # The same words whatever is looked into: nobody must learn from us that they are suspected of something.
    "under_review": _("We are checking this payment. Nothing is needed from you; it goes on as soon as the check is done."),
    "not_carried_out": _("It was not carried out. The money is back in your account."),
    "": "",
}
FAILURE_OTHER = _("It did not go through. No money was moved.")


def failure_text(code: str) -> str | Promise:
    return FAILURES.get(code, FAILURE_OTHER)
