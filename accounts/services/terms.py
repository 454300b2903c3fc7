"""Accepting the terms, version by version."""

from __future__ import annotations

from datetime import datetime

from accounts import selectors
from accounts.models import Person, TermsAcceptance
from core import audit


def terms_accept(person: Person, *, now: datetime) -> list[TermsAcceptance]:
    """Record that the person accepts whatever is in force and not yet accepted. Repeating it changes nothing."""
    rows = [
        TermsAcceptance(person=person, slug=terms.slug, version=terms.version, language=terms.language, accepted_at=now)
        for terms in selectors.terms_missing(person, at=now)
    ]
    TermsAcceptance.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        audit.record(
            "accounts.terms.accepted",
            actor=person,
            party_id=person.party_id,
            object_type="terms",
            object_id=f"{row.slug}/{row.version}",
            language=row.language,
        )
    return rows
