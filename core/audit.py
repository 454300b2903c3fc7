"""The audit log: who did what to whom. Readable by the person it is about, except what the law forbids to tell."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from core import clock
from core.models import AuditEntry

# A person must not learn of these (tipping off); they stay in the log for staff.
SECRET_PREFIXES = ("compliance.case.", "compliance.screening.")


def record(
    action: str,
    *,
    actor: Any = None,
    party_id: UUID | None = None,
    object_type: str = "",
    object_id: object = "",
    **data: str | int | bool | UUID | None,
) -> AuditEntry:
    """
    Add an entry in the caller's transaction. `actor` is a person, or None for the hub itself; `data` holds codes and ids.
    """
    return AuditEntry.objects.create(
        at=clock.now(),
        action=action,
        actor_id=getattr(actor, "pk", None),
        actor_kind="hub" if actor is None else "staff" if getattr(actor, "is_staff", False) else "person",
        party_id=party_id,
        object_type=object_type,
        object_id=str(object_id),
        data={key: str(value) if isinstance(value, UUID) else value for key, value in data.items()},
    )


def entries_for(party_id: UUID) -> QuerySet[AuditEntry]:
    """What the party may read about itself, newest first."""
    entries = AuditEntry.objects.filter(party_id=party_id)
    for prefix in SECRET_PREFIXES:
        entries = entries.exclude(action__startswith=prefix)
    return entries.order_by("-id")
