"""
Money in by card, on the provider's hosted page.

The order is always: commit what we are about to ask, ask the provider outside any transaction with our id as its
idempotency key, commit what it said. What it did not say is `unknown` and is asked for again until it is known. Whoever
learns something (the person coming back, an event, the sweep) asks the provider for the truth; nothing is taken from the
news itself. Source: docs/payments.md, "Top-ups".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import selectors as accounts
from accounts.models import Membership, Person
from compliance.errors import LimitExceeded
from compliance.models import Direction
from core import due, events
from core.errors import HubError, NotFound
from core.money import CurrencyMismatch, Money, amount_check
from core.rates import RateMissing
from payments import states
from payments.errors import NotWaitingForApproval, ProviderRefused, ProviderUnavailable, failure_text
from payments.gateways import gateway as gateway_named
from payments.gateways.base import Checkout, CheckoutState, GatewayError, GatewayRefused, GatewayUnavailable
from payments.models import OPEN_AT_PROVIDER, Kind, Mismatch, Payment, ProviderLink, State
from payments.services import holds
from payments.services.movements import balance_room_check, count, replayed, request_hash, uncount
from wallets import ledger
from wallets.errors import AccountClosed, CeilingExceeded, WalletClosed, WalletNotFound
from wallets.models import Wallet

log = structlog.get_logger(__name__)

GATEWAY = "stripe"
# The provider's page lives this long. Stripe allows 30 minutes to 24 hours, counted from when it hears of it.
PAGE_LIFE = timedelta(hours=1)
# Until then a page that was never confirmed is asked for again; later nobody is waiting for it any more.
START_UNTIL = timedelta(minutes=20)
# The clocks of two houses are never quite the same.
CLOCK_SLACK = timedelta(minutes=10)
CHECK_FIRST, CHECK_MOST = timedelta(seconds=15), timedelta(minutes=5)
RELEASE_EVERY = timedelta(hours=6)
# Whatever else is said about the page: the money has come, or staff have the word.
_DECIDED = (State.POSTED, State.HELD, State.REFUNDED, State.CANCELLED)
# Held until staff have compared what was asked for with what the provider reports.
MISMATCHES = ("amount_mismatch", "reference_mismatch")


@dataclass(frozen=True, slots=True)
class TopUp:
    """A top-up and, while it can still be paid, the address of the provider's page."""

    payment: Payment
    url: str
    replayed: bool = False


def top_up_start(*, by: Person, wallet_id: UUID, amount: Money, idempotency_key: str, now: datetime, party_id: UUID | None = None) -> TopUp:
    """
    Open the provider's page for putting `amount` into a wallet (of `party_id`, when that is given).

    Limits are counted now and given back if it comes to nothing, so that money that was paid is never refused by them.
    Returns the TopUp: `waiting` with the page's address, or `unknown` when the provider did not answer; then the sweep
    finds out and the top-up's page shows the address as soon as there is one. Repeating a call with the same key and
    arguments returns the same TopUp (and asks the provider again if it was unknown).

    :raises WalletNotFound, WalletClosed, CurrencyMismatch, AmountInvalid: about the input.
    :raises LimitExceeded: of what may come in (payment, day, month), or of what may be held (balance).
    :raises RateMissing: limits cannot be counted in this currency.
    :raises ProviderRefused: the provider does not carry the currency or the amount.
    :raises ProviderUnavailable: no provider is set up.
    :raises IdempotencyConflict: the key was used with other arguments.
    """
    wallet = _wallet(by, wallet_id, party_id)
    asked = request_hash(kind="top_up", wallet=wallet_id, amount=amount.amount, currency=amount.currency)
    found = replayed(party_id=wallet.party_id, key=idempotency_key, asked=asked)
    if found is None:
        try:
            with transaction.atomic():
                payment = _begin(by, wallet, amount, idempotency_key, asked, now)
        except (IntegrityError, HubError):
            found = replayed(party_id=wallet.party_id, key=idempotency_key, asked=asked)
            if found is None:
                raise
    if found is not None:
        payment = found
    if payment.state in (State.PENDING, State.UNKNOWN):
        _open_page(payment.id, now)
    done = _top_up(payment.id, replayed=found is not None)
    if found is None and done.payment.state == State.FAILED:
        code = done.payment.failure_code
        raise ProviderRefused(failure_text(code), provider_code=code, payment=str(payment.id))
    return done


def top_up_refresh(*, payment_id: UUID, now: datetime) -> TopUp:
    """
    Ask the provider how it stands and commit the answer. A provider that does not answer changes nothing.

    :raises NotFound: no such top-up.
    """
    payment = Payment.objects.filter(id=payment_id, kind=Kind.TOP_UP).first()
    if payment is None:
        raise NotFound()
    if payment.state not in _DECIDED:
        try:
            _ask(payment_id, now)
        except GatewayError as error:
            log.info("top_up_not_answered", payment_id=str(payment_id), code=error.code)
    return _top_up(payment_id, replayed=True)


def top_up_news(*, payment_id: UUID, object_id: str, now: datetime) -> None:
    """
    The provider says that something happened to a page: ask it what.

    :raises GatewayError: the provider did not answer; the caller tries again.
    """
    payment = Payment.objects.select_related("provider").get(id=payment_id)
    if payment.state in _DECIDED:
        return
    link = payment.provider
    _settle(payment_id, gateway_named(link.gateway).checkout_get(link.object_id or object_id), now)


def top_up_check(*, payment_id: UUID, now: datetime) -> datetime | None:
    """
    One look of the sweep. Returns when to look again, or None when nothing can change any more.

    :raises GatewayError: the provider did not answer; the caller tries again with growing pauses.
    """
    payment = Payment.objects.get(id=payment_id)
    if payment.state in OPEN_AT_PROVIDER:
        _ask(payment_id, now)
        payment.refresh_from_db()
    if payment.state not in OPEN_AT_PROVIDER:
        return None
    return now + min(max((now - payment.created_at) / 6, CHECK_FIRST), CHECK_MOST)


def top_up_cancel(*, by: Person, payment_id: UUID, now: datetime) -> TopUp:
    """
    Close the provider's page. If it was paid in the same moment, it is paid.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: it is over already, or the provider does not answer.
    """
    payment = Payment.objects.filter(id=payment_id, kind=Kind.TOP_UP).select_related("provider").first()
    if payment is None or accounts.role_of(by, payment.party_id) is None:
        raise NotFound()
    accounts.party_get(by, payment.party_id, role=Membership.Role.MEMBER)
    if payment.state != State.WAITING:
        raise NotWaitingForApproval()
    try:
        _settle(payment_id, gateway_named(payment.provider.gateway).checkout_expire(payment.provider.object_id), now)
    except GatewayRefused:
        # Not open any more: paid or expired, which the next look tells.
        return top_up_refresh(payment_id=payment_id, now=now)
    except GatewayError as error:
        raise NotWaitingForApproval() from error
    return _top_up(payment_id, replayed=True)


@transaction.atomic
def top_up_release(*, payment_id: UUID, now: datetime) -> datetime | None:
    """
    Try to bring suspended money into its wallet. Returns when to try again, or None when it is not suspended any more.
    """
    payment = Payment.objects.select_for_update().get(id=payment_id)
    if payment.state != State.HELD or not payment.suspended or payment.failure_code in MISMATCHES:
        return None
    return now + RELEASE_EVERY if release(payment, now) else None


def release(payment: Payment, now: datetime) -> str:
    """Bring the suspended money of a payment, whose row the caller has locked, into a wallet. The code of what refuses it, or ""."""
    wallet = _wallet_for(payment)
    if wallet is None:
        return AccountClosed.code
    if Payment.objects.filter(original=payment, state__in=OPEN_AT_PROVIDER).exists():
        return "refund_under_way"
    if waiting := holds.waiting(payment, now):
        holds.cases_open(payment, waiting, now)
        return holds.UNDER_REVIEW
    try:
        with transaction.atomic():
            if payment.counted_minor is None:
                count(payment, wallet.party_id, direction=Direction.IN, now=now)
            ledger.post(
                debit=suspense_account(payment),
                credit=wallet.account,
                amount=payment.amount,
                key=f"payment:{payment.id}:release",
                now=now,
                meta={"payment": str(payment.id)},
            )
    except (AccountClosed, CeilingExceeded, LimitExceeded, RateMissing) as error:
        return error.code
    payment.wallet_to, payment.suspended = wallet, False
    _posted(payment, now)
    return ""


def provider_account(gateway: str, currency: str) -> int:
    """What the provider owes us: money in comes out of it."""
    return ledger.system_account(f"provider:{gateway}", currency)


def suspense_account(payment: Payment) -> int:
    """Where money of a party waits that its wallets cannot take."""
    return ledger.system_account(f"suspense:{payment.party_id}", payment.currency)


def _wallet(by: Person, wallet_id: UUID, party_id: UUID | None) -> Wallet:
    wallet = Wallet.objects.filter(id=wallet_id).first()
    if wallet is None or (party_id and wallet.party_id != party_id) or accounts.role_of(by, wallet.party_id) is None:
        raise WalletNotFound()
    accounts.party_get(by, wallet.party_id, role=Membership.Role.MEMBER)
    return wallet


def _begin(by: Person, wallet: Wallet, amount: Money, key: str, asked: bytes, now: datetime) -> Payment:
    amount_check(amount)
    if wallet.state != Wallet.State.OPEN:
        raise WalletClosed()
    if wallet.currency != amount.currency:
        raise CurrencyMismatch(field="amount", expected=wallet.currency, found=amount.currency)
    try:
        gateway_named(GATEWAY).amount_check(amount)
    except GatewayRefused as error:
        raise ProviderRefused(failure_text(error.code), provider_code=error.code) from error
    except GatewayUnavailable as error:
        raise ProviderUnavailable() from error
    payment = Payment(
        kind=Kind.TOP_UP,
        state=State.PENDING,
        party_id=wallet.party_id,
        payee_party_id=wallet.party_id,
        wallet_to=wallet,
        amount_minor=amount.amount,
        currency=amount.currency,
        by_person=by,
        idempotency_key=key,
        request_hash=asked,
        created_at=now,
        expires_at=now + PAGE_LIFE,
    )
    count(payment, wallet.party_id, direction=Direction.IN, now=now)
    balance_room_check(wallet.party_id, amount, now=now)
    states.begin(payment, now=now)
    ProviderLink.objects.create(payment=payment, gateway=GATEWAY, language=by.language)
    due.schedule("payments.top_up_check", run_key=str(payment.id), due_at=now + CHECK_FIRST, payment_id=payment.id)
    return payment


def _open_page(payment_id: UUID, now: datetime) -> None:
    """Ask for the page and commit whatever came of it; nothing is raised."""
    try:
        checkout = _page_create(payment_id)
    except GatewayRefused as error:
        _failed(payment_id, error.code, now)
    except GatewayError as error:
        _unknown(payment_id, error, now)
    else:
        _settle(payment_id, checkout, now)


def _page_create(payment_id: UUID) -> Checkout:
    """The same words every time, else the provider would take it for another call under the same key."""
    payment = Payment.objects.select_related("provider").get(id=payment_id)
    assert payment.expires_at is not None
    page = f"{settings.HUB_PUBLIC_URL}/pay/top-up/{payment.id}/"
    with override(payment.provider.language or "en"):
        title = _("Top-up at %(name)s") % {"name": settings.HUB_NAME}
    return gateway_named(payment.provider.gateway).checkout_create(
        reference=payment.id,
        amount=payment.amount,
        title=title,
        language=payment.provider.language,
        success_url=f"{page}?back=1",
        cancel_url=page,
        expires_at=payment.expires_at,
    )


def _ask(payment_id: UUID, now: datetime) -> None:
    payment = Payment.objects.select_related("provider").get(id=payment_id)
    link = payment.provider
    gateway = gateway_named(link.gateway)
    if link.object_id:
        _settle(payment_id, gateway.checkout_get(link.object_id), now)
        return
    # Its answer never reached us: it may be there under our reference, or may never have been made.
    lost = gateway.checkout_find(reference=payment.id, since=payment.created_at - CLOCK_SLACK, until=now + CLOCK_SLACK)
    if lost is not None:
        _settle(payment_id, lost, now)
    elif now < payment.created_at + START_UNTIL:
        _open_page(payment_id, now)
    elif payment.state in OPEN_AT_PROVIDER:
        _failed(payment_id, "provider_unreachable", now)


@transaction.atomic
def _settle(payment_id: UUID, checkout: Checkout, now: datetime) -> None:
    """Commit what the provider says about its page. Only ever moves forward, whatever order the news came in."""
    payment = _locked(payment_id)
    link = payment.provider
    if not link.object_id:
        link.object_id = checkout.id
    if checkout.provider_payment or checkout.url:
        link.provider_payment = checkout.provider_payment or link.provider_payment
        link.url = checkout.url or link.url
    link.save()
    if payment.state in _DECIDED:
        return
    if checkout.state is CheckoutState.PAID:
        _paid(payment, checkout, now)
    elif payment.state not in OPEN_AT_PROVIDER:
        return
    elif checkout.state is CheckoutState.FAILED:
        _over(payment, State.FAILED, checkout.failure_code, now)
    elif checkout.state is CheckoutState.EXPIRED:
        _over(payment, State.EXPIRED, "expired", now)
    elif payment.state != State.WAITING:
        states.move(payment, State.WAITING, now=now)


def _paid(payment: Payment, checkout: Checkout, now: datetime) -> None:
    if checkout.amount != payment.amount or not is_our_page(payment, checkout):
        # Never credited blindly: staff compare the two and decide.
        states.move(payment, State.HELD, now=now, code="amount_mismatch" if is_our_page(payment, checkout) else "reference_mismatch")
        mismatch_record(payment, checkout, now)
        tell(payment, "held")
        return
    waiting = holds.waiting(payment, now)
    refusal = holds.UNDER_REVIEW if waiting else _credit(payment, now)
    if refusal is None:
        _posted(payment, now)
        return
    suspend(payment, now)
    states.move(payment, State.HELD, now=now, code=refusal)
    release_schedule(payment, now)
    holds.cases_open(payment, waiting, now)
    tell(payment, "held")


def suspend(payment: Payment, now: datetime) -> None:
    """Take the money from the provider, to be the party's but in none of its wallets yet. The caller saves the payment."""
    ledger.post(
        debit=provider_account(payment.provider.gateway, payment.currency),
        credit=suspense_account(payment),
        amount=payment.amount,
        key=f"payment:{payment.id}:suspense",
        now=now,
        meta={"payment": str(payment.id)},
    )
    payment.suspended = True


def release_schedule(payment: Payment, now: datetime) -> None:
    due.schedule("payments.top_up_release", run_key=str(payment.id), due_at=now + RELEASE_EVERY, payment_id=payment.id)


def is_our_page(payment: Payment, checkout: Checkout) -> bool:
    """Whether it is the page that was opened for this payment, by both houses' names for it."""
    return checkout.reference == str(payment.id) and checkout.id == payment.provider.object_id


def mismatch_record(payment: Payment, checkout: Checkout, now: datetime) -> Mismatch:
    """Keep what the provider reports, for staff; a proposal that was made on other figures is void."""
    found = Mismatch.objects.select_for_update().filter(payment=payment).first()
    is_ours = is_our_page(payment, checkout)
    if found is not None and (found.reported, found.is_ours) == (checkout.amount, is_ours):
        return found
    mismatch = found or Mismatch(payment=payment, asked_minor=payment.amount_minor, asked_currency=payment.currency)
    mismatch.reported_minor, mismatch.reported_currency = checkout.amount.amount, checkout.amount.currency
    mismatch.is_ours, mismatch.reported_at = is_ours, now
    mismatch.proposal, mismatch.proposed_by, mismatch.proposed_at = "", None, None
    mismatch.save()
    return mismatch


def _credit(payment: Payment, now: datetime) -> str | None:
    """Post to the wallet; the code of the refusal if it cannot take the money."""
    assert payment.wallet_to is not None
    counted = payment.counted_minor, payment.counted_at
    try:
        with transaction.atomic():
            if payment.counted_minor is None:
                # It was given up, and counted back, before the money came.
                count(payment, payment.party_id, direction=Direction.IN, now=now)
            ledger.post(
                debit=provider_account(payment.provider.gateway, payment.currency),
                credit=payment.wallet_to.account,
                amount=payment.amount,
                key=payment.id,
                now=now,
                meta={"payment": str(payment.id)},
            )
    except (AccountClosed, CeilingExceeded, LimitExceeded, RateMissing) as error:
        payment.counted_minor, payment.counted_at = counted
        return error.code
    return None


def _posted(payment: Payment, now: datetime) -> None:
    states.move(payment, State.POSTED, now=now)
    due.cancel("payments.top_up_check", run_key=str(payment.id))
    tell(payment, "posted")


def _over(payment: Payment, state: State, code: str, now: datetime) -> None:
    """It came to nothing: the limits are as before."""
    uncount(payment, payment.party_id, direction=Direction.IN)
    states.move(payment, state, now=now, code=code)
    due.cancel("payments.top_up_check", run_key=str(payment.id))
    tell(payment, "failed")


@transaction.atomic
def _failed(payment_id: UUID, code: str, now: datetime) -> None:
    payment = _locked(payment_id)
    if payment.state in OPEN_AT_PROVIDER:
        _over(payment, State.FAILED, code, now)


@transaction.atomic
def _unknown(payment_id: UUID, error: GatewayError, now: datetime) -> None:
    payment = _locked(payment_id)
    log.warning("top_up_unknown", payment_id=str(payment_id), code=error.code, nothing_happened=isinstance(error, GatewayUnavailable))
    if payment.state == State.PENDING:
        states.move(payment, State.UNKNOWN, now=now, code=error.code)


def tell(payment: Payment, what: str) -> None:
    events.emit(
        f"payments.top_up.{what}",
        party_id=payment.party_id,
        payment_id=payment.id,
        amount=payment.amount_minor,
        currency=payment.currency,
        code=payment.failure_code,
    )


def _locked(payment_id: UUID) -> Payment:
    return Payment.objects.select_for_update(of=("self",)).select_related("provider", "wallet_to").get(id=payment_id)


def _wallet_for(payment: Payment) -> Wallet | None:
    """The wallet the money was meant for, or one that was opened since in the same currency."""
    mine = Wallet.objects.filter(party_id=payment.party_id, currency=payment.currency, state=Wallet.State.OPEN)
    return next((wallet for wallet in mine if wallet.id == payment.wallet_to_id), None) or mine.order_by("opened_at", "id").first()


def _top_up(payment_id: UUID, *, replayed: bool) -> TopUp:
    payment = Payment.objects.select_related("provider").get(id=payment_id)
    return TopUp(payment=payment, url=payment.provider.url if payment.state == State.WAITING else "", replayed=replayed)
