"""Opening pots, naming them, moving money in and out of them, and closing them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from core import events
from core.idempotency import key_check
from core.money import CurrencyMismatch, Money, amount_check
from wallets import ledger
from wallets.errors import AccountClosed, CeilingExceeded, WalletClosed, WalletNotFound
from wallets.ledger_models import LedgerAccount
from wallets.models import Wallet
from wallets.pots.errors import PotClosed, PotGoalInvalid, PotNameInvalid, PotNotFound, PotsTooMany
from wallets.pots.models import NAME_MAX, Pot

# A list to look at, not a store; and every pot is an account that a total has to add up.
POTS_MAX = 50
_GOAL_MOST = timedelta(days=36525)


@transaction.atomic
def pot_open(
    *,
    party_id: UUID,
    wallet_id: UUID,
    name: str,
    goal: Money | None = None,
    goal_on: date | None = None,
    idempotency_key: str,
    now: datetime,
) -> Pot:
    """
    A new, empty pot in an open wallet of the party. Repeating the call with the same key returns the first pot.

    :raises WalletNotFound, WalletClosed: about the wallet.
    :raises PotNameInvalid, PotGoalInvalid, AmountInvalid, CurrencyMismatch: about the name and the goal.
    :raises PotsTooMany: the wallet has POTS_MAX open ones.
    """
    key_check(idempotency_key)
    # The wallet's row makes two openings wait for each other, and keeps the wallet from being closed meanwhile.
    wallet = Wallet.objects.select_for_update(no_key=True).filter(id=wallet_id, party_id=party_id).first()
    if wallet is None:
        raise WalletNotFound()
    found = Pot.objects.filter(wallet=wallet, idempotency_key=idempotency_key).first()
    if found is not None:
        return found
    if wallet.state != Wallet.State.OPEN:
        raise WalletClosed()
    if wallet.pots.filter(state=Pot.State.OPEN).count() >= POTS_MAX:
        raise PotsTooMany(limit=POTS_MAX)
    pot = Pot(
        wallet=wallet,
        party_id=party_id,
        currency=wallet.currency,
        account=ledger.account_open(currency=wallet.currency, now=now),
        opened_at=now,
        idempotency_key=idempotency_key,
    )
    _describe(pot, name=name, goal=goal, goal_on=goal_on, now=now)
    pot.save(force_insert=True)
    _emit("opened", pot)
    return pot


@transaction.atomic
def pot_change(*, party_id: UUID, pot_id: UUID, name: str, goal: Money | None, goal_on: date | None, now: datetime) -> Pot:
    """
    Give an open pot another name and another goal (None: no goal).

    :raises PotNotFound, PotClosed: about the pot.
    :raises PotNameInvalid, PotGoalInvalid, AmountInvalid, CurrencyMismatch: about the name and the goal.
    """
    pot = _locked(party_id, pot_id)
    _describe(pot, name=name, goal=goal, goal_on=goal_on, now=now)
    pot.save(update_fields=["name", "goal_minor", "goal_on"])
    _emit("changed", pot)
    return pot


def pot_put(*, party_id: UUID, pot_id: UUID, amount: Money, idempotency_key: str, now: datetime) -> Pot:
    """
    Move money from the wallet's available balance into the pot.

    Repeating the call with the same key and amount moves nothing more.

    :raises PotNotFound, PotClosed, AmountInvalid, CurrencyMismatch: what it says.
    :raises InsufficientFunds: not that much is available in the wallet.
    :raises IdempotencyConflict: the key did something else before.
    """
    return _move(party_id, pot_id, amount, inward=True, key=idempotency_key, now=now)


def pot_take(*, party_id: UUID, pot_id: UUID, amount: Money, idempotency_key: str, now: datetime) -> Pot:
    """
    Move money from the pot back to the wallet's available balance.

    Repeating the call with the same key and amount moves nothing more.

    :raises PotNotFound, PotClosed, AmountInvalid, CurrencyMismatch: what it says.
    :raises InsufficientFunds: there is not that much in the pot.
    :raises IdempotencyConflict: the key did something else before.
    """
    return _move(party_id, pot_id, amount, inward=False, key=idempotency_key, now=now)


@transaction.atomic
def pot_close(*, party_id: UUID, pot_id: UUID, now: datetime) -> Pot:
    """
    Close the pot for good; what is in it goes back to the wallet. Closing a closed one changes nothing.

    :raises PotNotFound: not there, or somebody else's.
    """
    pot = _get(party_id, pot_id)
    # Both accounts before the first movement, as everybody does who moves money twice.
    ledger.lock([pot.account, pot.wallet.account])
    pot = Pot.objects.select_for_update(of=("self",)).select_related("wallet").get(id=pot.id)
    if pot.state != Pot.State.OPEN:
        return pot
    held = LedgerAccount.objects.get(id=pot.account).posted
    if held:
        _post(pot, Money(held, pot.currency), inward=False, key=f"pot:{pot.id}:close", what="close", now=now)
    ledger.account_close(pot.account, now=now)
    pot.state, pot.closed_at = Pot.State.CLOSED, now
    pot.save(update_fields=["state", "closed_at"])
    _emit("closed", pot)
    return pot


def _get(party_id: UUID, pot_id: UUID) -> Pot:
    found = Pot.objects.filter(id=pot_id, party_id=party_id).select_related("wallet").first()
    if found is None:
        raise PotNotFound()
    return found


def _locked(party_id: UUID, pot_id: UUID) -> Pot:
    pot = Pot.objects.select_for_update(no_key=True, of=("self",)).filter(id=pot_id, party_id=party_id).select_related("wallet").first()
    if pot is None:
        raise PotNotFound()
    if pot.state != Pot.State.OPEN:
        raise PotClosed()
    return pot


def _describe(pot: Pot, *, name: str, goal: Money | None, goal_on: date | None, now: datetime) -> None:
    pot.name = " ".join(name.split())
    if not 0 < len(pot.name) <= NAME_MAX or not pot.name.isprintable():
        raise PotNameInvalid(limit=NAME_MAX)
    if goal is not None:
        amount_check(goal)
        if goal.currency != pot.currency:
            raise CurrencyMismatch(field="goal", expected=pot.currency, found=goal.currency)
    if goal_on is not None and (goal is None or _out_of_range(goal_on, before=pot.goal_on, now=now)):
        raise PotGoalInvalid()
    pot.goal_minor, pot.goal_on = goal.amount if goal else None, goal_on


def _out_of_range(goal_on: date, *, before: date | None, now: datetime) -> bool:
    """A day that has passed meanwhile may stay when only the name is changed. A day's grace: the owner's day may lie ahead of UTC's."""
    return goal_on != before and not timedelta(days=-1) <= goal_on - now.date() <= _GOAL_MOST


@transaction.atomic
def _move(party_id: UUID, pot_id: UUID, amount: Money, *, inward: bool, key: str, now: datetime) -> Pot:
    pot = _get(party_id, pot_id)
    if amount_check(amount).currency != pot.currency:
        raise CurrencyMismatch(expected=pot.currency, found=amount.currency)
    if not inward:
        # Taking out may have to lift the wallet's ceiling for a moment: nobody sets another one meanwhile.
        ledger.lock([pot.account, pot.wallet.account])
    what = "put" if inward else "take"
    moved = _post(pot, amount, inward=inward, key=f"pot:{pot.id}:{key_check(key)}", what=what, now=now)
    if not moved.replayed:
        _emit(what, pot, transfer_id=moved.id)
    return pot


def _post(pot: Pot, amount: Money, *, inward: bool, key: str, what: str, now: datetime) -> ledger.Transfer:
    """The ledger refuses a closed account and too little money; a repetition of a call that was done finds its transfer all the same."""
    debit, credit = (pot.wallet.account, pot.account) if inward else (pot.account, pot.wallet.account)
    wish: dict[str, Any] = {"debit": debit, "credit": credit, "amount": amount, "key": key, "now": now}
    wish["meta"] = {"pot": str(pot.id), "what": what}
    try:
        return ledger.post(**wish)
    except AccountClosed as error:
        raise PotClosed() from error
    except CeilingExceeded:
        # The wallet's ceiling guards against money from outside. Taking out of a pot adds nothing to what the party holds, so
        # it stands back for this one movement; the account's row is locked until the transaction ends.
        ceiling = LedgerAccount.objects.get(id=credit).ceiling
        ledger.account_limit(credit, ceiling=ledger.CEILING_NONE)
        moved = ledger.post(**wish)
        ledger.account_limit(credit, ceiling=ceiling)
        return moved


def _emit(what: str, pot: Pot, **more: int) -> None:
    events.emit(f"wallets.pot.{what}", party_id=pot.party_id, pot_id=pot.id, wallet_id=pot.wallet_id, **more)
