"""The counters that protect people are rows that a crash of PostgreSQL leaves as they were."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

pytestmark = pytest.mark.django_db


def test_no_table_is_emptied_by_a_crash() -> None:
    """PostgreSQL truncates an unlogged table when it starts after a crash: wrong passwords would count from zero again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'i', 'S') AND relpersistence <> 'p' AND relname !~ '^pg_'")
        assert cursor.fetchall() == []


def test_the_counters_are_rows_of_that_database() -> None:
    cache.set("login:somebody", [1.0, 2.0], 300)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {settings.CACHES['default']['LOCATION']} WHERE cache_key LIKE %s", ["%login:somebody"])
        assert cursor.fetchone() == (1,)
