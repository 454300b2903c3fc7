"""Refusals of the ledger and of wallets. The ledger's functions answer with these classes' codes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import HubError, NotFound
from core.idempotency import IdempotencyConflict
from core.money import AmountInvalid, CurrencyMismatch


class LedgerError(HubError):
    """The ledger refused; nothing was written."""

    code = "ledger_refused"
    http_status = 409


class InsufficientFunds(LedgerError):
    """The account would fall below its floor."""

    code = "insufficient_funds"
    default_field = "amount"
    default_message = _("There is not enough money in the account.")


class CeilingExceeded(LedgerError):
    """The account would rise above its ceiling."""

    code = "ceiling_exceeded"
    default_field = "amount"
    default_message = _("The receiving account may not hold that much.")


class AccountClosed(LedgerError):
    code = "account_closed"
    default_message = _("The account is closed.")


class AccountOpen(LedgerError):
    """Only a closed account can be archived."""

    code = "account_open"
    default_message = _("The account is still open.")


class AccountUnknown(LedgerError):
    code = "account_unknown"
    http_status = 404
    default_message = _("There is no such account.")


class AccountNotEmpty(LedgerError):
    code = "balance_not_zero"
    default_message = _("The account is not empty.")


class AccountNotGuarded(LedgerError):
    """Holds and limits need an account that has a balance row."""

    code = "account_not_guarded"
    default_message = _("This account cannot set money aside.")


class SameAccount(LedgerError):
    code = "same_account"
    http_status = 422
    default_message = _("Choose two different accounts.")


class HoldUnknown(LedgerError):
    code = "hold_unknown"
    http_status = 404
    default_message = _("There is no such hold.")


class HoldClosed(LedgerError):
    """Captured or voided before."""

    code = "hold_closed"
    default_message = _("The hold has ended.")


class HoldExpired(LedgerError):
    code = "hold_expired"
    default_message = _("The hold has expired.")


class HoldOpen(LedgerError):
    """It is not time to expire it."""

    code = "hold_open"
    default_message = _("The hold has not expired yet.")


class HoldExceeded(LedgerError):
    code = "hold_exceeded"
    default_field = "amount"
    default_message = _("The amount is more than what is held.")


class TransferUnknown(LedgerError):
    code = "transfer_unknown"
    http_status = 404
    default_message = _("There is no such transfer.")


class NotReversible(LedgerError):
    """A hold, a void or a reversal: nothing was moved, or it was moved back already."""

    code = "not_reversible"
    default_message = _("This cannot be reversed.")


class ReversalExceeded(LedgerError):
    """All reversals together would be more than the original."""

    code = "reversal_exceeded"
    default_field = "amount"
    default_message = _("More cannot be reversed than was moved.")


class BatchTooLarge(LedgerError):
    """More items than one batch may have; `maximum` says how many that is."""

    code = "batch_too_large"
    http_status = 413
    default_message = _("Too many items at once.")


class BatchRefused(LedgerError):
    """All or none was asked for, and not all could be done; `codes` has each item's."""

    code = "batch_refused"
    default_message = _("Not every part of this can be done, so none of it was.")


class WalletClosed(HubError):
    code = "wallet_closed"
    http_status = 409
    default_message = _("This account is closed.")


class WalletNotFound(NotFound):
    code = "wallet_not_found"
    default_message = _("We could not find this account.")


class WalletNotEmpty(HubError):
    """It holds money, or money is set aside in it."""

    code = "wallet_not_empty"
    http_status = 409
    default_message = _("Only an empty account can be closed.")


REFUSALS: dict[str, type[HubError]] = {
    error.code: error
    for error in (
        InsufficientFunds,
        CeilingExceeded,
        AccountClosed,
        AccountOpen,
        AccountUnknown,
        AccountNotEmpty,
        AccountNotGuarded,
        SameAccount,
        HoldUnknown,
        HoldClosed,
        HoldExpired,
        HoldOpen,
        HoldExceeded,
        TransferUnknown,
        NotReversible,
        ReversalExceeded,
        BatchTooLarge,
        BatchRefused,
        AmountInvalid,
        CurrencyMismatch,
        IdempotencyConflict,
    )
}
