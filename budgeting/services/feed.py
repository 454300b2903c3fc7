"""
The feed: what payments did to a party's money, one item per party and payment, filed under a category.

Everything here can be done again at any time with the same outcome; `feed_rebuild` does it for all payments.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q

from accounts import selectors as accounts
from accounts.models import Party
from budgeting import selectors
from budgeting.categorise import INCOME, OTHER, OWN, PEOPLE, Why, categorise, category_of_note, clean, words_of
from budgeting.models import FeedItem, Kind, Rule
from budgeting.selectors import Keeper
from core import crypto
from core.money import Money, Rounding
from core.rates import RateMissing, convert
from payments.models import SETTLED, Payment, PaymentStep, State
from payments.models import Kind as PaymentKind

REBUILD_BATCH = 200
_KINDS = {
    (PaymentKind.TRANSFER, True): Kind.TRANSFER_IN,
    (PaymentKind.TRANSFER, False): Kind.TRANSFER_OUT,
    (PaymentKind.TOP_UP, True): Kind.TOP_UP,
    (PaymentKind.PAYOUT, False): Kind.PAYOUT,
    (PaymentKind.REFUND, False): Kind.REFUND,
    (PaymentKind.REVERSAL, True): Kind.RETURNED,
    (PaymentKind.REVERSAL, False): Kind.RETURNED,
}


def undone_follow(party_id: UUID, payments: Iterable[UUID], category: str) -> None:
    """What gave a payment back stays in the payment's category, so that the two cancel out."""
    FeedItem.objects.filter(party_id=party_id, original_id__in=list(payments), why=Why.UNDONE).update(category=category, guess=category)


@transaction.atomic
def feed_follow(*, payment_id: UUID) -> int:
    """
    Make the feed say of a payment what is true now: an item for each side whose money moved, none where it did not.
    What a person chose for an item stays. Doing it again changes nothing. Returns how many items there are.
    """
    with connection.cursor() as cursor:
        # Two pieces of news about one payment are told one after the other.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"budgeting:feed:{payment_id}"])
    payment = Payment.objects.select_related("original").get(id=payment_id)
    sides = [party_id for party_id in (payment.payer_party_id, payment.payee_party_id) if party_id] if _moved(payment) else []
    FeedItem.objects.filter(payment_id=payment_id).exclude(party_id__in=sides).delete()
    for party_id in sides:
        _file(payment, party_id)
    return len(sides)


def feed_rebuild(*, party_id: UUID | None = None) -> int:
    """The feed of one party, or all of it, made anew from the payments; returns how many payments were followed."""
    payments = Payment.objects.filter(state__in=[*SETTLED, State.FAILED])
    if party_id is not None:
        payments = payments.filter(Q(payer_party_id=party_id) | Q(payee_party_id=party_id))
    ids = list(payments.order_by("id").values_list("id", flat=True))
    for payment_id in ids:
        feed_follow(payment_id=payment_id)
    return len(ids)


def feed_of_party_again(*, party_id: UUID, after: UUID | None) -> UUID | None:
    """
    Days and amounts in the home currency of the next few items, after their owner moved to another time zone or chose
    another home currency. Returns where to go on, None at the end.
    """
    keeper = selectors.keeper_of(party_id)
    items = FeedItem.objects.filter(party_id=party_id).order_by("id")
    with transaction.atomic():
        batch = list((items.filter(id__gt=after) if after else items).select_for_update()[:REBUILD_BATCH])
        for item in batch:
            _place(item, keeper)
        FeedItem.objects.bulk_update(batch, ["on_date", "home_minor", "home_currency", "rate_date"])
    return batch[-1].id if len(batch) == REBUILD_BATCH else None


def _moved(payment: Payment) -> bool:
    """Whether it moved (and still does) what its parties can spend; money that only lay in suspense never did."""
    if payment.state not in SETTLED:
        return False
    top_up = payment if payment.kind == PaymentKind.TOP_UP else payment.original if payment.kind == PaymentKind.REFUND else None
    if top_up is None or top_up.state == State.POSTED:
        return True
    return PaymentStep.objects.filter(payment=top_up, state=State.POSTED).exists()


def _file(payment: Payment, party_id: UUID) -> None:
    incoming = payment.payee_party_id == party_id
    fresh = FeedItem(
        party_id=party_id,
        payment=payment,
        original_id=payment.original_id,
        kind=_KINDS[PaymentKind(payment.kind), incoming],
        amount_minor=payment.amount_minor if incoming else -payment.amount_minor,
        currency=payment.currency,
        at=payment.settled_at or payment.created_at,
        other_party_id=payment.payer_party_id if incoming else payment.payee_party_id,
    )
    _place(fresh, selectors.keeper_of(party_id))
    if fresh.kind in (Kind.TRANSFER_IN, Kind.TRANSFER_OUT, Kind.PAYOUT):
        _name(fresh, payment)
    fresh.guess, fresh.guess_why = _guess(fresh, payment)
    rule = _rule_of(fresh)
    fresh.category, fresh.why = (rule.category, Why.RULE) if rule else (fresh.guess, fresh.guess_why)
    before = FeedItem.objects.select_for_update().filter(party_id=party_id, payment=payment).first()
    if before is not None:
        fresh.id = before.id
        fresh._state.adding = False
        if before.why == Why.CHOSEN:
            fresh.category, fresh.why = before.category, before.why
    fresh.save()
    if payment.state == State.REVERSED:
        # The news of the reversal may have come before that of the payment.
        undone_follow(party_id, [payment.id], fresh.category)


def _place(item: FeedItem, keeper: Keeper) -> None:
    """Its day, and its amount in the home currency, as the keeper of the party's books counts them."""
    item.on_date = item.at.astimezone(ZoneInfo(keeper.time_zone)).date()
    item.home_currency = keeper.currency
    item.home_minor, item.rate_date = _in_home(item.amount, item.at, keeper.currency)


def _in_home(amount: Money, at: datetime, currency: str) -> tuple[int | None, date | None]:
    if amount.currency == currency:
        return amount.amount, None
    try:
        found = convert(amount, currency, on=at.date(), rounding=Rounding.HALF_EVEN)
    except RateMissing:
        return None, None
    return found.money.amount, found.rate_date


def _name(item: FeedItem, payment: Payment) -> None:
    """Whom it is with, and by what a rule knows them: what goes out to somebody says nothing of what comes in from them."""
    way = "in" if item.amount_minor > 0 else "out"
    if item.other_party_id:
        # Known by id: their name is read when it is shown, and is gone when they are forgotten.
        item.key = f"{way} party {item.other_party_id}"
        return
    account = getattr(payment, "bank_account", None)
    if account is not None:
        cleaned = clean(account.name)
        item.counterparty, item.merchant, item.key = account.name, cleaned.merchant, f"{way} {cleaned.key}" if cleaned.key else ""


def _guess(item: FeedItem, payment: Payment) -> tuple[str, str]:
    if item.kind in (Kind.TOP_UP, Kind.REFUND):
        return OWN, Why.TRANSFER
    if item.kind == Kind.RETURNED:
        undone = FeedItem.objects.filter(party_id=item.party_id, payment=payment.original).first()
        return (undone.category if undone else PEOPLE), Why.UNDONE
    if item.kind == Kind.TRANSFER_IN:
        return INCOME, Why.TRANSFER
    if item.kind == Kind.PAYOUT and _is_own(item):
        return OWN, Why.TRANSFER
    # What the person called it themselves says more than the name of whoever was paid.
    bill = getattr(payment, "bill_run", None)
    for words in (bill.bill.name if bill else "", payment.note):
        noted = category_of_note(words)
        if noted is not None:
            return noted, Why.NOTE
    return _guess_by_name(item) or ((PEOPLE if item.kind == Kind.TRANSFER_OUT else OTHER), Why.TRANSFER)


def _is_own(item: FeedItem) -> bool:
    """Paid out to an account in the party's own name."""
    own = Party.objects.get(id=item.party_id).name
    return bool(own) and sorted(words_of(own)) == sorted(words_of(item.counterparty))


def _guess_by_name(item: FeedItem) -> tuple[str, str] | None:
    """People's names mean nothing; those of businesses and of bank accounts may."""
    name = item.counterparty
    if item.other_party_id:
        business = Party.objects.filter(id=item.other_party_id, kind=Party.Kind.BUSINESS).first()
        name = accounts.party_display_name(business) if business else ""
    if not name:
        return None
    guess = categorise(name)
    return (guess.category, guess.why) if guess.category else None


def _rule_of(item: FeedItem) -> Rule | None:
    # A top-up is no purchase, and what is given back follows what it undoes: neither has a key.
    if not item.key:
        return None
    return Rule.objects.filter(party_id=item.party_id, key_index=crypto.blind_index("budgeting.rule.key", item.key)).first()
