"""Partners and what people allow them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from accounts import selectors, values
from accounts.models import Membership, PartnerApplication, PartnerConsent, Party, Person
from core import audit, events
from core.api.scopes import PEOPLES, SCOPES
from core.errors import InputInvalid, NotFound


class ScopeUnknown(InputInvalid):
    code = "scope_unknown"
    default_field = "scopes"


class PartnerCreated(NamedTuple):
    """The secret is shown this once: only its hash is kept."""

    application: PartnerApplication
    client_secret: str


@transaction.atomic
def partner_create(
    *,
    name: str,
    redirect_uris: Sequence[str],
    party: Party,
    now: datetime,
    answers: Person | None = None,
    scopes: Iterable[str] = (),
    by: Person | None = None,
) -> PartnerCreated:
    """
    Register a partner of `party`: with redirect addresses people can give it consent, and with its secret it acts for its own
    party. `answers` is the member of the party who approves what it asks for then. No `scopes` means all.

    :raises django.core.exceptions.ValidationError: a redirect address is not an absolute https one.
    :raises NotFound: `answers` does not act for the party.
    """
    scopes = list(scopes)
    if set(scopes) - set(SCOPES):
        raise ScopeUnknown
    if answers is not None:
        selectors.party_get(answers, party.id, role=Membership.Role.MEMBER, at=now)
    secret = generate_client_secret()
    application = PartnerApplication(
        name=values.name_checked(name),
        party=party,
        user=answers,
        redirect_uris=" ".join(redirect_uris),
        client_type=PartnerApplication.CLIENT_CONFIDENTIAL,
        authorization_grant_type=PartnerApplication.GRANT_AUTHORIZATION_CODE
        if redirect_uris
        else PartnerApplication.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
        scopes=" ".join(scopes),
    )
    application.full_clean(exclude=["client_secret"])
    application.save()
    audit.record("accounts.partner.created", actor=by, party_id=party.id, object_type="partner", object_id=application.id)
    return PartnerCreated(application=application, client_secret=secret)


@transaction.atomic
def consent_grant(
    *, person: Person, application: PartnerApplication, party_id: UUID, scopes: Iterable[str], now: datetime
) -> PartnerConsent:
    """
    The person lets a partner act for one of their parties. A new consent replaces the one before it.

    :raises NotFound: not a party of theirs.
    """
    selectors.party_get(person, party_id, at=now)
    PartnerConsent.objects.filter(application=application, person=person, party_id=party_id, revoked_at__isnull=True).update(revoked_at=now)
    consent = PartnerConsent.objects.create(
        application=application, person=person, party_id=party_id, scopes=" ".join(sorted(PEOPLES.intersection(scopes))), granted_at=now
    )
    _record(consent, "granted")
    return consent


@transaction.atomic
def consent_revoke(*, person: Person, consent_id: UUID, now: datetime) -> PartnerConsent:
    """
    Take a consent back; with the last one for a partner its tokens go too.

    :raises NotFound: not theirs, or taken back already.
    """
    consent = PartnerConsent.objects.select_for_update().filter(id=consent_id, person=person, revoked_at__isnull=True).first()
    if consent is None:
        raise NotFound
    consent.revoked_at = now
    consent.save(update_fields=["revoked_at"])
    if not PartnerConsent.objects.filter(application_id=consent.application_id, person=person, revoked_at__isnull=True).exists():
        for model in (get_refresh_token_model(), get_access_token_model()):
            model.objects.filter(application_id=consent.application_id, user=person).delete()
    _record(consent, "revoked")
    return consent


def _record(consent: PartnerConsent, what: str) -> None:
    audit.record(
        f"accounts.partner_consent.{what}",
        actor=consent.person,
        party_id=consent.party_id,
        object_type="partner",
        object_id=consent.application_id,
        scopes=consent.scopes,
    )
    events.emit(
        f"accounts.partner_consent.{what}", party_id=consent.party_id, application_id=consent.application_id, person_id=consent.person_id
    )
