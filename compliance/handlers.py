"""What compliance does when something happens in a lower app; joined to the events in hub/wiring.py."""

from __future__ import annotations

from compliance import services
from compliance.models import Level, PartyLevel
from core import clock
from core.models import Event


def level_begin(event: Event) -> None:
    """Everybody begins at the strictest level."""
    assert event.party_id is not None
    if not PartyLevel.objects.filter(party_id=event.party_id).exists():
        services.level_set(party_id=event.party_id, level=Level.EMAIL, by=None, reason="signed_up", now=clock.now())
