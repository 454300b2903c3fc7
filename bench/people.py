"""People with wallets and money for the measurements, made through the services."""

from __future__ import annotations

from accounts import services as accounts
from accounts.models import Person
from compliance import services as compliance
from compliance.models import Level, Verdict
from core import clock, events
from core.db import SYSTEM, scope
from core.ids import uuid7
from core.money import Money
from wallets import ledger
from wallets.models import Wallet


def person_with(amount: Money, *, name: str) -> tuple[Person, Wallet]:
    """A verified person, screened and clear, whose wallet in the amount's currency holds it."""
    with scope(SYSTEM):
        now = clock.now()
        person = accounts.person_sign_up(
            email=f"{uuid7().hex}@bench.example", password=None, name=name, home_currency=amount.currency, email_proved=True, now=now
        )
        compliance.level_set(party_id=person.party_id, level=Level.VERIFIED, by=None, reason="bench", now=now)
        # No screening process runs here, and payments would wait for it.
        verdict = Verdict(party=person.party, state=Verdict.State.CLEAR, screened_at=now, list_id=2**62)
        Verdict.objects.bulk_create([verdict], ignore_conflicts=True)
        events.relay(limit=1000)
        wallet = Wallet.objects.get(party_id=person.party_id, currency=amount.currency)
        ledger.post(
            debit=ledger.system_account("bench", amount.currency), credit=wallet.account, amount=amount, key=f"bench:{wallet.id}", now=now
        )
        return person, wallet
