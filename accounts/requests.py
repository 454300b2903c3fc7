"""Who is asking, for views behind a sign-in."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import Person


def person_of(request: HttpRequest) -> Person:
    """The person signed in; only for views under @login_required."""
    if not isinstance(request.user, Person):
        raise TypeError("this view needs @login_required")
    return request.user
