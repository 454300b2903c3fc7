"""Opening and closing wallets, and the ceilings that a party's level sets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.errors import PartyClosed
from accounts.models import Party
from core import events, rates
from core.money import Money, Rounding, currency_check
from core.rates import RateMissing
from wallets import ledger
from wallets.errors import AccountNotEmpty, WalletClosed, WalletNotEmpty
from wallets.ledger_models import LedgerAccount
from wallets.models import Wallet
from wallets.pots.models import Pot
from wallets.pots.services import pot_close

# Another currency's ceiling is set at today's rate and stands until the next change of level; the exact limit over all
# wallets is checked where money comes in. Eight parts in a hundred keep an ordinary month's drift from refusing it early.
_DRIFT = Decimal("1.08")


@transaction.atomic
def wallet_open(*, party_id: UUID, currency: str, now: datetime, name: str = "") -> Wallet:
    """
    The party's open wallet in the currency; opened if there is none, so calling twice is safe.

    :raises CurrencyUnknown: not a currency of ISO 4217.
    :raises PartyClosed: the party is closed or not there.
    """
    code = currency_check(currency)
    # Two openings at once meet on the party's row, not on the unique constraint, which would spoil the transaction.
    party = Party.objects.select_for_update(no_key=True).filter(id=party_id, state=Party.State.ACTIVE).first()
    if party is None:
        raise PartyClosed()
    found = Wallet.objects.filter(party=party, currency=code, state=Wallet.State.OPEN).first()
    if found is not None:
        return found
    account = ledger.account_open(currency=code, now=now)
    wallet = Wallet.objects.create(party=party, currency=code, account=account, name=name, opened_at=now)
    events.emit("wallets.wallet.opened", party_id=party_id, wallet_id=wallet.id, currency=code)
    return wallet


@transaction.atomic
def wallet_close(*, wallet: Wallet, now: datetime) -> Wallet:
    """
    Close an empty wallet for good, and its empty pots; its history stays.

    :raises WalletNotEmpty: it holds money, or money is set aside in it or lies in a pot.
    :raises WalletClosed: it was closed before.
    """
    locked = Wallet.objects.select_for_update().get(id=wallet.id)
    if locked.state != Wallet.State.OPEN:
        raise WalletClosed()
    _pots_close(locked, now)
    try:
        ledger.account_close(locked.account, now=now)
    except AccountNotEmpty as error:
        raise WalletNotEmpty() from error
    locked.state, locked.closed_at = Wallet.State.CLOSED, now
    locked.save(update_fields=["state", "closed_at"])
    wallet.state, wallet.closed_at = locked.state, locked.closed_at
    events.emit("wallets.wallet.closed", party_id=locked.party_id, wallet_id=locked.id, currency=locked.currency)
    return locked


def _pots_close(wallet: Wallet, now: datetime) -> None:
    """Money in a pot is not moved for its owner unasked: with the wallet only empty pots are closed."""
    pots = list(Pot.objects.filter(wallet=wallet, state=Pot.State.OPEN).order_by("account"))
    if not pots:
        return
    ledger.lock([wallet.account, *(pot.account for pot in pots)])
    if LedgerAccount.objects.filter(id__in=[pot.account for pot in pots]).exclude(posted=0).exists():
        raise WalletNotEmpty()
    for pot in pots:
        pot_close(party_id=wallet.party_id, pot_id=pot.id, now=now)


@transaction.atomic
def party_ceilings_set(*, party_id: UUID, ceiling: Money | None) -> int:
    """
    The most that each open wallet of the party may hold (None: no limit); returns how many were set. A wallet whose
    currency has no rate keeps the ceiling it has.
    """
    changed = 0
    for wallet in Wallet.objects.filter(party_id=party_id, state=Wallet.State.OPEN).order_by("account"):
        amount = _in_currency(ceiling, wallet.currency)
        if amount is not None:
            ledger.account_limit(wallet.account, ceiling=amount)
            changed += 1
    return changed


def _in_currency(ceiling: Money | None, currency: str) -> int | None:
    if ceiling is None:
        return ledger.CEILING_NONE
    if ceiling.currency == currency:
        return ceiling.amount
    try:
        return int(rates.convert(ceiling, currency, rounding=Rounding.UP).money.amount * _DRIFT)
    except RateMissing:
        return None
