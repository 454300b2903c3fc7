"""Accounts: opening, limits, closing, and locking ahead."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core import clock
from core.money import currency_check
from wallets.ledger.calls import account_check, change, row

CEILING_NONE = 4 * 10**18  # what an account has when nobody set a limit; sums stay inside a bigint


def account_open(*, currency: str, now: datetime, floor: int = 0, ceiling: int | None = None) -> int:
    """A new guarded account: a balance that is checked on every movement (`floor` and `ceiling` in minor units)."""
    most = CEILING_NONE if ceiling is None else ceiling
    (account,) = row("SELECT ledger_account_open(%s, 'guarded', %s, NULL, %s, %s)", (currency_check(currency), now, floor, most))
    return int(account)


def system_account(code: str, currency: str, *, now: datetime | None = None) -> int:
    """
    The accumulating account of that code ("provider:stripe", "fees") in a currency, made on first use. It keeps entries
    only, no balance row, so any number of movements can use it at once.
    """
    (account,) = row("SELECT ledger_account_open(%s, 'accumulating', %s, %s)", (currency_check(currency), now or clock.now(), code))
    return int(account)


def account_limit(account: int, *, floor: int | None = None, ceiling: int | None = None) -> None:
    """
    Set a guarded account's floor or ceiling (minor units); None leaves it. A ceiling may be set below the balance: then
    money only goes out.

    :raises InsufficientFunds: the available balance is below the new floor.
    """
    change("ledger_account_limit", account_check(account), floor, ceiling)


def account_close(account: int, *, now: datetime) -> None:
    """
    :raises AccountNotEmpty: it holds money, or money is set aside in it.
    :raises AccountClosed, AccountUnknown: what it says.
    """
    change("ledger_account_close", account_check(account), now)


def account_archive(account: int) -> None:
    """
    Mark a closed account as one that is only kept for its history; lists leave it out. Twice is once.

    :raises AccountOpen: it has not been closed.
    """
    change("ledger_account_archive", account_check(account))


def lock(accounts: Iterable[int], *, batch: bool = False) -> None:
    """
    For a transaction that moves money more than once: take all its accounts first, in one order, so that two such
    transactions never wait for each other in a circle. `batch` when a batch is among what it posts.
    """
    row("SELECT ledger_lock(%s::bigint[], %s)", (sorted(set(accounts)), batch))
