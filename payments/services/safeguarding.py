"""
Asking providers what they hold for us, for the day's safeguarding report.

The network is asked first, the answer is committed after. What is under way at that moment (a card payment that the provider
has and we have not heard of) is a difference for as long as it lasts. Source: docs/safeguarding.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from core import due
from payments import gateways
from payments.gateways.base import GatewayError
from wallets.safeguarding import services as safeguarding

BANK = "bank"
PROVIDERS = (*gateways.NAMES, BANK)
ASK_AGAIN, ASK_UNTIL = timedelta(minutes=30), timedelta(hours=20)
WORK = "payments.provider_balances"


def providers_ask_schedule(*, report_id: UUID, now: datetime) -> None:
    for provider in PROVIDERS:
        due.schedule(WORK, run_key=f"{report_id}:{provider}", due_at=now, report_id=report_id, provider=provider)


def provider_ask(*, report_id: UUID, provider: str, asked_since: datetime, now: datetime) -> datetime | None:
    """Ask one provider and take its answer down; returns when to ask again, None when that is not needed."""
    gateway = gateways.bank_gateway() if provider == BANK else gateways.gateway(provider)
    try:
        balances = gateway.balances()
    except GatewayError as error:
        safeguarding.places_unavailable(report_id=report_id, provider=provider, code=error.code, now=now)
        return now + ASK_AGAIN if now < asked_since + ASK_UNTIL else None
    safeguarding.places_record(report_id=report_id, provider=provider, balances=balances, now=now)
    return None
