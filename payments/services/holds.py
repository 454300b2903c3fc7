"""
Payments that wait for screening or for staff: nothing moves while the verdict of a side is missing, old or a hit.

The stored verdicts are read, never a list. What is held keeps its money aside and its share of the limits; when it goes on,
limits are checked again as they are then. People are told the same words whatever the reason is: a person must not learn
from us that they are suspected. Source: docs/screening.md, "Payments that wait".
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from compliance.cases import services as cases
from compliance.screening.selectors import PartyStanding, Standing, verdicts_for
from payments.models import Payment, State

UNDER_REVIEW = "under_review"
NOT_CARRIED_OUT = "not_carried_out"
ITEM = "payment"


def waiting(payment: Payment, now: datetime) -> list[PartyStanding]:
    """The sides of the payment that are not clear; empty: it may go."""
    sides = [side for side in dict.fromkeys((payment.payer_party_id, payment.payee_party_id)) if side is not None]
    return [standing for standing in verdicts_for(sides, now) if standing.state is not Standing.CLEAR]


def cases_open(payment: Payment, standings: list[PartyStanding], now: datetime) -> None:
    """Have the payment wait for a case of each side that is not clear."""
    # In one order everywhere, so that two payments between the same two parties wait for each other and not in a ring.
    for standing in sorted(standings, key=lambda found: found.party_id):
        cases.case_open(party_id=standing.party_id, reason=standing.state.value, kind=ITEM, object_id=payment.id, now=now)


def held_because_of(party_id: UUID) -> list[UUID]:
    """Payments that wait for a verdict or a case and have this party on one of their sides."""
    held = Payment.objects.filter(state=State.HELD, failure_code=UNDER_REVIEW)
    return sorted(
        {*held.filter(payer_party=party_id).values_list("id", flat=True), *held.filter(payee_party=party_id).values_list("id", flat=True)}
    )
