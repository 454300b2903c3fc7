"""The request as views behind a sign-in see it."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import Person


class PersonRequest(HttpRequest):
    """For annotations of views under @login_required only; never created."""

    user: Person
