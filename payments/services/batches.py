"""Many transfers in one transaction, for work that comes due by the thousand: a few queries for all instead of twenty for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from accounts.models import Party
from compliance import limits
from compliance.models import Direction
from compliance.screening.selectors import Standing, verdicts_for
from core import events
from core.errors import HubError
from core.rates import RateMissing
from payments import states
from payments.models import Payment, State
from payments.services import transfers
from payments.services.movements import rooms_used
from wallets import ledger
from wallets.models import Wallet


def transfers_post_plain(payments: Sequence[Payment], now: datetime) -> list[Payment]:
    """
    Post those of the new transfers in whose way nothing stands, in the caller's transaction, with all that `transfers.post`
    does for one: limits, room, ledger, timeline, event.

    `payments` are unsaved, one currency each, their sources open and allowed to be paid from. What is not in the answer has
    left no trace: the payee has no wallet yet, a side is not cleared, a limit, the room or the balance does not cover all of
    its party's payments together. Post it alone to have it judged. Locks in the order of single payments, each kind by id.

    :raises RateMissing: a payee's balances cannot be counted.
    """
    going = _plain(payments, now)
    rules = limits.rules_of({party for payment in going for party in _sides(payment)}, now)
    counted = _counted(going)
    going = [payment for payment in going if payment.id in counted]
    by_payer: dict[UUID, list[int]] = defaultdict(list)
    for payment in going:
        by_payer[_payer(payment)].append(counted[payment.id])
    fits = limits.usage_raise_all(by_payer, direction=Direction.OUT, now=now, rules=rules)
    going = [payment for payment in going if _payer(payment) in fits]
    posted = _moved(_with_room(going, counted, rules, now), now)
    _give_back([payment for payment in going if payment not in posted], counted, now)
    for payment in posted:
        payment.state, payment.counted_minor, payment.counted_at = State.POSTED, counted[payment.id], now
    states.begin_all(posted, now=now)
    events.emit_all("payments.transfer.posted", [(payment.payer_party_id, transfers.told(payment)) for payment in posted])
    return posted


def _plain(payments: Iterable[Payment], now: datetime) -> list[Payment]:
    """Those to an open wallet, between parties that are cleared; the wallet is set."""
    asked = list(payments)
    found = Wallet.objects.filter(
        party_id__in={payment.payee_party_id for payment in asked}, state=Wallet.State.OPEN, party__state=Party.State.ACTIVE
    )
    targets = {(wallet.party_id, wallet.currency): wallet for wallet in found}
    going = []
    for payment in asked:
        payment.wallet_to = targets.get((_payee(payment), payment.currency))
        if payment.wallet_to is not None:
            going.append(payment)
    standings = verdicts_for({party for payment in going for party in _sides(payment)}, now)
    clear = {standing.party_id for standing in standings if standing.state is Standing.CLEAR}
    return [payment for payment in going if clear.issuperset(_sides(payment))]


def _counted(payments: Iterable[Payment]) -> dict[UUID, int]:
    """What each counts against limits; without a rate it is not in it."""
    found = {}
    for payment in payments:
        try:
            found[payment.id] = limits.reference(payment.amount).amount
        except RateMissing:
            continue
    return found


def _with_room(payments: list[Payment], counted: dict[UUID, int], rules: dict[UUID, limits.Rules], now: datetime) -> list[Payment]:
    """Those whose payee may hold all that this batch brings."""
    wanted: dict[UUID, int] = defaultdict(int)
    for payment in payments:
        wanted[_payee(payment)] += counted[payment.id]
    most = {payee: limit for payee in wanted if (limit := limits.balance_limit(payee, now, rules[payee])) is not None}
    used = rooms_used(most)
    full = {payee for payee, limit in most.items() if used[payee].amount + wanted[payee] > limit.amount}
    return [payment for payment in payments if _payee(payment) not in full]


def _moved(payments: list[Payment], now: datetime) -> list[Payment]:
    """Those that the ledger took."""
    ledger.lock(account for payment in payments for account in _accounts(payment))
    moved = []
    for payment in payments:
        source, target = _accounts(payment)
        try:
            ledger.post(debit=source, credit=target, amount=payment.amount, key=payment.id, now=now, meta={"payment": str(payment.id)})
        except HubError:
            continue
        moved.append(payment)
    return moved


def _give_back(payments: Iterable[Payment], counted: dict[UUID, int], now: datetime) -> None:
    sums: dict[UUID, int] = defaultdict(int)
    for payment in payments:
        sums[_payer(payment)] += counted[payment.id]
    limits.usage_lower_all(sums, direction=Direction.OUT, at=now)


def _payer(payment: Payment) -> UUID:
    assert payment.payer_party_id is not None
    return payment.payer_party_id


def _payee(payment: Payment) -> UUID:
    assert payment.payee_party_id is not None
    return payment.payee_party_id


def _sides(payment: Payment) -> tuple[UUID, UUID]:
    return _payer(payment), _payee(payment)


def _accounts(payment: Payment) -> tuple[int, int]:
    assert payment.wallet_from is not None
    assert payment.wallet_to is not None
    return payment.wallet_from.account, payment.wallet_to.account
