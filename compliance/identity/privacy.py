"""Identity data in the register of personal data."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from compliance.identity.models import IdentityData
from core import privacy


def export_identity(party_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "state": row.state,
            "legal_name": row.legal_name,
            "birth_date": row.birth_date_text,
            "street": row.street,
            "postcode": row.postcode,
            "city": row.city,
            "country": row.country,
            "document": row.document_kind,
            "issued_by": row.document_country,
            "number": row.document_number,
            "submitted_at": row.submitted_at.isoformat(),
            "decided_at": row.decided_at.isoformat() if row.decided_at else None,
            "reason": row.reason or None,
        }
        for row in IdentityData.objects.filter(party_id=party_id).order_by("submitted_at", "id")
    ]


def keeps_identity(party_id: UUID) -> bool:
    return IdentityData.objects.filter(party_id=party_id).exists()


def erase_identity(party_id: UUID, now: datetime) -> None:
    """The key takes the words; the keyed hash of the number and the countries go by hand. What was decided stays."""
    IdentityData.objects.filter(party_id=party_id).update(
        document_index=None, country="", document_country="", legal_name=b"", birth_date_text=b"", street=b"", postcode=b"", city=b"",
        document_number=b"", note=b"",
    )  # fmt: skip


privacy.register(
    "compliance.identity",
    export=export_identity,
    erase=erase_identity,
    keeps=keeps_identity,
    retention="Five years after the account is closed, as the law on money laundering asks; then erased with the party's key.",
    fields=tuple(
        f"compliance.identitydata.{field}"
        for field in ("legal_name", "birth_date_text", "street", "postcode", "city", "document_number", "document_index", "note", "country")
    ),
)
