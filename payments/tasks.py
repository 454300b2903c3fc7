"""Due work of payments: each looks at one payment or one message, and is safe to do twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from core import clock, due
from core.models import DueWork
from payments import services
from payments.gateways.base import GatewayError
from payments.services import safeguarding

# After so many quick tries in a row the provider is taken to be away for longer.
QUICK_TRIES = 8
OUTAGE_PAUSE = timedelta(minutes=10)


@due.worker("payments.top_up_check")
def top_up_check(work: DueWork) -> datetime | None:
    return _outlast(work, lambda now: services.top_up_check(payment_id=_payment(work), now=now))


@due.worker("payments.top_up_release")
def top_up_release(work: DueWork) -> datetime | None:
    return services.top_up_release(payment_id=_payment(work), now=clock.now())


@due.worker("payments.refund_check")
def refund_check(work: DueWork) -> datetime | None:
    return _outlast(work, lambda now: services.refund_check(payment_id=_payment(work), now=now))


@due.worker("payments.payout_check")
def payout_check(work: DueWork) -> datetime | None:
    return _outlast(work, lambda now: services.payout_check(payment_id=_payment(work), now=now))


@due.worker("payments.payout_expire")
def payout_expire(work: DueWork) -> datetime | None:
    services.payout_expire(payment_id=_payment(work), now=clock.now())
    return None


@due.worker("payments.webhook_process")
def webhook_process(work: DueWork) -> datetime | None:
    def process(now: datetime) -> None:
        services.webhook_process(event_id=UUID(work.data["event_id"]), now=now)

    return _outlast(work, process)


@due.worker("payments.transfer_expire")
def transfer_expire(work: DueWork) -> datetime | None:
    services.transfer_expire(payment_id=_payment(work), now=clock.now())
    return None


@due.worker("payments.held_release")
def held_release(work: DueWork) -> datetime | None:
    services.held_release(payment_id=_payment(work), now=clock.now())
    return None


@due.worker("payments.held_cancel")
def held_cancel(work: DueWork) -> datetime | None:
    services.held_cancel(payment_id=_payment(work), now=clock.now())
    return None


def _outlast(work: DueWork, look: Callable[[datetime], datetime | None]) -> datetime | None:
    """A provider's outage of any length must not end among the dead letters: the money may be there."""
    now = clock.now()
    try:
        return look(now)
    except GatewayError:
        if work.attempts < QUICK_TRIES:
            raise
        return now + OUTAGE_PAUSE


@due.worker(safeguarding.WORK)
def provider_balances(work: DueWork) -> datetime | None:
    report_id, provider = UUID(str(work.data["report_id"])), str(work.data["provider"])
    return safeguarding.provider_ask(report_id=report_id, provider=provider, asked_since=work.created_at, now=clock.now())


def _payment(work: DueWork) -> UUID:
    return UUID(work.data["payment_id"])
