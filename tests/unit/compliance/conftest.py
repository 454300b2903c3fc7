from __future__ import annotations

import pytest

from accounts.models import Party, Person


@pytest.fixture
def asa() -> Party:
    return Party.objects.create(name="Asa Example")


@pytest.fixture
def officer() -> Person:
    return Person.objects.create_user("officer@example.com", "a long pass phrase", is_staff=True)
