"""Which party an API call is about, and whether the caller may act for it."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from accounts import selectors
from accounts.models import Membership, PartnerApplication, PartnerConsent, Person
from core.api.access import Caller, ScopeMissing, caller_of
from core.api.views import ApiView
from core.errors import Forbidden, InputInvalid, NotFound


class PartyRequired(InputInvalid):
    code = "party_required"
    default_field = "party"
    default_message = _("This token works for several parties. Say which one.")


class PersonRequired(Forbidden):
    """Client credentials of a partner for which nobody answers can only read."""

    code = "person_required"
    default_message = _("A person has to answer for this. Ask the operator to name one for your application.")


class PartyView(ApiView):
    """
    Sets `party_id` from `?party=`: the person's own by default. Reading takes a viewer, writing a member of it.

    A partner reaches only the parties it has a consent for, and with its own credentials only its own.
    """

    with_party: ClassVar[bool] = True
    party_id: UUID

    def scope_for(self, request: Request) -> UUID:
        self.party_id = self._party(request, caller_of(request))
        return self.party_id

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    @property
    def is_present(self) -> bool:
        """The person acts here and now, not a partner in their name."""
        return self.caller.application_id is None

    @property
    def person(self) -> Person:
        """
        In whose name the call acts.

        :raises PersonRequired: an application nobody answers for.
        """
        caller = self.caller
        person: Person | None = caller.person
        if person is not None:
            return person
        answers: Person | None = PartnerApplication.objects.select_related("user").get(id=caller.application_id).user
        if answers is None or not answers.is_active:
            raise PersonRequired
        return answers

    def _party(self, request: Request, caller: Caller) -> UUID:
        wanted = _wanted(request)
        if caller.own_party_id is not None:
            if wanted not in (None, caller.own_party_id):
                raise NotFound
            return caller.own_party_id
        person: Person = caller.person
        party_id = self._consented(request, caller, wanted) if caller.application_id else wanted or person.party_id
        role = Membership.Role.VIEWER if request.method in ("GET", "HEAD") else Membership.Role.MEMBER
        return selectors.party_get(person, party_id, role=role).id

    def _consented(self, request: Request, caller: Caller, wanted: UUID | None) -> UUID:
        found = PartnerConsent.objects.filter(application_id=caller.application_id, person=caller.person, revoked_at__isnull=True)
        consents = {consent.party_id: consent.scopes.split() for consent in found}
        own = caller.person.party_id
        party_id = wanted or (next(iter(consents)) if len(consents) == 1 else own if own in consents else None)
        if party_id is None and consents:
            raise PartyRequired
        if party_id not in consents:
            raise NotFound
        needed = self.scopes.get(str(request.method))
        # A newer consent may allow less than an older token says.
        if needed and needed not in consents[party_id]:
            raise ScopeMissing(required_scope=needed)
        return party_id


def _wanted(request: Request) -> UUID | None:
    text = request.query_params.get("party")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def service_key(caller: Caller, key: str) -> str:
    """A key for services, which know no clients: two clients of one party may both count from 1."""
    return "api:" + hashlib.sha256(f"{caller.key}|{key}".encode()).hexdigest()


def party_ids_of(caller: Caller) -> list[Any]:
    """The parties a caller may name in `?party=`."""
    if caller.own_party_id is not None:
        return [caller.own_party_id]
    mine = list(selectors.parties_for(caller.person).values_list("id", flat=True))
    if caller.application_id is None:
        return mine
    found = PartnerConsent.objects.filter(application_id=caller.application_id, person=caller.person, revoked_at__isnull=True)
    consented = set(found.values_list("party_id", flat=True))
    return [party_id for party_id in mine if party_id in consented]
