"""Reading cases."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from compliance.cases.models import Case, CaseItem


def items_of(case_id: UUID, *, kind: str) -> list[UUID]:
    """What of this kind waits for the case, oldest first."""
    return list(CaseItem.objects.filter(case_id=case_id, kind=kind).order_by("id").values_list("object_id", flat=True))


def cases_open() -> QuerySet[Case]:
    return Case.objects.filter(state=Case.State.OPEN).order_by("opened_at", "id")
