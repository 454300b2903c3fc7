"""What compliance does when something happens in a lower app; joined to the events in hub/wiring.py."""

from __future__ import annotations

from compliance import services
from compliance.models import Level, PartyLevel
from compliance.screening import verdicts
from core import clock
from core.models import Event


def level_begin(event: Event) -> None:
    """Everybody begins at the strictest level."""
    assert event.party_id is not None
    if not PartyLevel.objects.filter(party_id=event.party_id).exists():
        services.level_set(party_id=event.party_id, level=Level.EMAIL, by=None, reason="signed_up", now=clock.now())


def party_screen(event: Event) -> None:
    """A new party, or one with another name, is put in line for the screening process."""
    assert event.party_id is not None
    verdicts.screening_ask(event.party_id, cause=str(event.id), now=clock.now())


def person_screen_again(event: Event) -> None:
    """For `accounts.person.changed`: only the name matters. What was found about the old one says nothing any more."""
    assert event.party_id is not None
    if "name" in str(event.data.get("fields", "")).split(","):
        verdicts.verdict_outdate(event.party_id)
        party_screen(event)


def identity_screen(event: Event) -> None:
    """For `compliance.identity.checked`: the legal name may be another than the one that was screened."""
    assert event.party_id is not None
    verdicts.verdict_outdate(event.party_id)
    party_screen(event)
