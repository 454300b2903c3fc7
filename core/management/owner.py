"""Run something on the connection of the database's owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections

from core.environment import database_config

ROLE_KEYS = ("USER", "PASSWORD", "HOST", "PORT")


@contextmanager
def as_owner(using: str = "default") -> Iterator[None]:
    """Within, the connection is the owner's; outside, it is the application's again. Without DATABASE_OWNER_URL: no change."""
    connection = connections[using]
    if not settings.DATABASE_OWNER_URL:
        yield
        return
    owner = database_config(settings.DATABASE_OWNER_URL)
    before = {key: connection.settings_dict[key] for key in ROLE_KEYS}
    connection.close()
    connection.settings_dict.update({key: owner[key] for key in ROLE_KEYS})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
