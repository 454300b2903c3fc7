from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import services
from accounts.models import Person, TotpDevice
from accounts.models.factors import seed_new
from core.models import DueWork

PASSWORD = "copper lantern drifting"


@pytest.fixture(autouse=True)
def _no_limits_left_over(request: pytest.FixtureRequest) -> None:
    """Counters live in the database's cache table; a rolled-back test leaves none, a fresh database has none."""
    if "db" in request.fixturenames:
        cache.clear()


@pytest.fixture
def sign_up(db: None, now: datetime) -> Callable[..., Person]:
    def make(email: str, name: str, **fields: Any) -> Person:
        return services.person_sign_up(**{"email": email, "name": name, "password": PASSWORD, "email_proved": True, "now": now, **fields})

    return make


@pytest.fixture
def asa(sign_up: Callable[..., Person]) -> Person:
    return sign_up("asa@example.com", "Åsa Lindgren")


@pytest.fixture
def bo(sign_up: Callable[..., Person]) -> Person:
    return sign_up("bo@example.com", "Bo Ek")


@pytest.fixture
def officer(sign_up: Callable[..., Person]) -> Person:
    return sign_up("officer@example.com", "Olle Officer", is_staff=True)


@pytest.fixture
def officer_device(officer: Person) -> TotpDevice:
    device: TotpDevice = TotpDevice.objects.create(user=officer, name="phone", seed=seed_new())
    return device


@pytest.fixture
def asa_client(asa: Person) -> Client:
    client = Client()
    client.force_login(asa)
    return client


def mails() -> list[dict[str, str]]:
    """Every mail in line, oldest first."""
    return [json.loads(work.secret) for work in DueWork.objects.filter(kind="core.mail").order_by("created_at", "id")]


def code_in(mail: dict[str, str]) -> str:
    found = re.search(r"^\d{6}$", mail["text"], re.MULTILINE)
    assert found, mail["text"]
    return found.group()
