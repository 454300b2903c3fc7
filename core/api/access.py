"""Who calls the API, and what their token allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from core.errors import Forbidden


class ScopeMissing(Forbidden):
    """The token is good, but not for this; `extra["required_scope"]` names what it lacks."""

    code = "insufficient_scope"
    default_message = _("This token does not allow this.")


@dataclass(frozen=True)
class Caller:
    """
    `request.auth` of every API view. A person's own session has no application; client credentials have no person.

    `own_party_id` is the party an application acts for with its own credentials.
    """

    scopes: frozenset[str]
    person: Any = None
    application_id: UUID | None = None
    own_party_id: UUID | None = None

    @property
    def key(self) -> str:
        """Whose idempotency keys and quota these are."""
        who = f"person:{self.person.pk}" if self.person is not None else "itself"
        return f"app:{self.application_id}:{who}" if self.application_id else who


def caller_of(request: Request) -> Caller:
    """Who got past HasScope."""
    caller = request.auth
    if not isinstance(caller, Caller):
        raise TypeError("the view lets everybody in and asks who it is")
    return caller


class HasScope(BasePermission):
    """A caller whose token holds the scope that the view names for this method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = request.auth
        if not isinstance(caller, Caller):
            return False
        needed = view.scopes.get(request.method)
        if needed and needed not in caller.scopes:
            raise ScopeMissing(required_scope=needed)
        return True
