"""Setting a party's level and the limits of a level."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Person
from compliance.errors import LevelUnknown, RuleInPast
from compliance.models import Direction, Level, LimitRule, PartyLevel, Window
from core import audit, events
from core.errors import Forbidden
from core.money import AMOUNT_MAX, AmountNotPositive, AmountTooLarge


@transaction.atomic
def level_set(*, party_id: UUID, level: int, by: Person | None, reason: str, now: datetime) -> PartyLevel:
    """
    Put a party at a level from `now` on; `by` is a member of staff, or None when the hub itself does it.

    Setting the level a party already has changes nothing and tells nobody. Emits `compliance.level.changed`.

    :raises LevelUnknown: not 1, 2 or 3.
    :raises Forbidden: `by` is not staff.
    """
    if level not in Level.values:
        raise LevelUnknown(level=level)
    if by is not None and not (by.is_staff and by.is_active):
        raise Forbidden()
    _lock(f"level:{party_id}")
    current = PartyLevel.objects.filter(party_id=party_id, active_to__isnull=True).first()
    if current is not None and current.level == level:
        return current
    # Two changes in one microsecond of a stopped clock would leave an empty period: the later one replaces the other.
    if current is not None and current.active_from >= now:
        current.delete()
    elif current is not None:
        current.active_to = now
        current.save(update_fields=["active_to"])
    row = PartyLevel.objects.create(party_id=party_id, level=level, active_from=now, reason=reason[:40], set_by=by)
    audit.record(
        "compliance.level.set",
        actor=by,
        party_id=party_id,
        object_type="party_level",
        object_id=str(row.id),
        level=int(level),
        reason=reason[:40],
    )
    events.emit("compliance.level.changed", party_id=party_id, level=int(level))
    return row


@transaction.atomic
def limit_rule_set(
    *, level: int, window: str, direction: str, amount_minor: int, active_from: datetime, by: Person, now: datetime
) -> LimitRule:
    """
    Make a limit hold from `active_from` until the next one that is already planned, ending the one that holds then.

    :raises Forbidden: `by` is not staff.
    :raises RuleInPast: it would change how past payments were judged.
    :raises AmountNotPositive: a negative limit (zero is allowed: nothing may move).
    """
    if not (by.is_staff and by.is_active):
        raise Forbidden()
    if level not in Level.values:
        raise LevelUnknown(level=level)
    if active_from < now:
        raise RuleInPast()
    if amount_minor < 0:
        raise AmountNotPositive(field="amount_minor")
    if amount_minor > AMOUNT_MAX:
        raise AmountTooLarge(field="amount_minor")
    key = {"level": level, "window": Window(window), "direction": Direction(direction)}
    _lock(f"limit_rule:{level}:{window}:{direction}")
    LimitRule.objects.filter(**key, active_from=active_from).delete()
    LimitRule.objects.filter(**key).at(active_from).update(active_to=active_from)
    following = LimitRule.objects.filter(**key, active_from__gt=active_from).order_by("active_from", "id").first()
    rule = LimitRule.objects.create(
        **key, amount_minor=amount_minor, active_from=active_from, active_to=following.active_from if following else None
    )
    audit.record(
        "compliance.limit_rule.set",
        actor=by,
        party_id=None,
        object_type="limit_rule",
        object_id=str(rule.id),
        level=int(level),
        window=window,
        direction=direction,
        amount_minor=amount_minor,
    )
    events.emit("compliance.limit_rule.changed", level=int(level), window=str(window), active_from=active_from.isoformat())
    return rule


def _lock(name: str) -> None:
    """Serialise writers of one thing until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"compliance:{name}"])
