"""Reading identity data, for one party or for staff."""

from __future__ import annotations

from uuid import UUID

from compliance.identity.models import CURRENT, IdentityData


def identity_current(party_id: UUID) -> IdentityData | None:
    """What holds for the party now; None when nothing was submitted or the last was declined."""
    return IdentityData.objects.filter(party_id=party_id, state__in=CURRENT).first()


def identity_newest(party_id: UUID) -> IdentityData | None:
    """The last submission, whatever became of it."""
    return IdentityData.objects.filter(party_id=party_id).order_by("-submitted_at", "-id").first()


def same_document(identity: IdentityData) -> int:
    """How many other parties gave the same document."""
    found = IdentityData.objects.filter(
        document_index=identity.document_index, document_kind=identity.document_kind, document_country=identity.document_country
    )
    return found.exclude(party_id=identity.party_id).values("party_id").distinct().count()
