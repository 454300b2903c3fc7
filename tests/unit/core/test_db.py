from __future__ import annotations

import threading
from uuid import UUID, uuid4

import psycopg2
import pytest
from django.db import DatabaseError, InternalError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from core.db import SYSTEM, scope, scope_current
from tests import databases


def told() -> str:
    """Who the database thinks is asking."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('hub.party', true), '')")
        found: str = cursor.fetchone()[0]
        return found


class TestScope:
    def test_is_nobody_by_default(self, db: None) -> None:
        assert told() == ""
        assert scope_current() is None

    def test_tells_the_database_and_forgets_afterwards(self, db: None) -> None:
        party = uuid4()
        with scope(party):
            assert told() == str(party)
            assert scope_current() == party
        assert told() == ""

    def test_nests(self, db: None) -> None:
        first, second = uuid4(), uuid4()
        with scope(first):
            with scope(SYSTEM):
                assert told() == "system"
                with scope(second):
                    assert told() == str(second)
                with scope(None):
                    assert told() == ""
            assert told() == str(first)

    @pytest.mark.parametrize("who", ["", "staff", "SYSTEM", "x'; DROP TABLE core_event; --"])
    def test_refuses_other_words(self, db: None, who: str) -> None:
        with pytest.raises(ValueError, match="scope"), scope(who):
            pass

    def test_costs_no_counted_query(self, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(0), scope(SYSTEM):
            pass

    def test_is_forgotten_after_an_error(self, db: None) -> None:
        with pytest.raises(KeyError), scope(uuid4()):
            raise KeyError
        assert told() == ""

    def test_is_forgotten_after_a_rollback_within(self, fresh_db: str) -> None:
        with scope(SYSTEM):
            with pytest.raises(KeyError), transaction.atomic(), scope(uuid4()):
                raise KeyError
            assert told() == "system"
        assert told() == ""

    def test_stays_after_a_rollback_within(self, fresh_db: str) -> None:
        with scope(SYSTEM):
            with pytest.raises(KeyError), transaction.atomic():
                raise KeyError
            assert told() == "system"

    def test_is_forgotten_after_a_broken_transaction(self, fresh_db: str) -> None:
        with scope(SYSTEM):
            with pytest.raises(DatabaseError), transaction.atomic(), scope(uuid4()):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 / 0")
            assert told() == "system"
        assert told() == ""

    def test_ends_in_a_broken_transaction_without_closing_the_connection(self, fresh_db: str) -> None:
        def broken() -> None:
            with scope(uuid4()), connection.cursor() as cursor:
                with pytest.raises(DatabaseError):
                    cursor.execute("SELECT 1 / 0")

        with pytest.raises(KeyError), transaction.atomic():
            broken()
            with pytest.raises(InternalError), connection.cursor() as cursor:
                cursor.execute("SELECT 1")  # still the same connection, waiting for its rollback
            raise KeyError
        assert told() == ""

    def test_survives_a_connection_that_the_server_dropped(self, fresh_db: str) -> None:
        told()
        connection.connection.close()
        connection.close()
        with scope(SYSTEM):
            assert told() == "system"

    def test_replaces_a_connection_that_died_since_the_last_request(self, fresh_db: str) -> None:
        told()
        other = psycopg2.connect(databases.url_for(fresh_db))
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        other.close()
        connection.close_if_unusable_or_obsolete()  # what Django and Celery do between requests and tasks
        with scope(SYSTEM):
            assert told() == "system"

    def test_of_one_thread_is_not_that_of_another(self, fresh_db: str) -> None:
        seen: list[tuple[str, UUID | str | None]] = []

        def look() -> None:
            seen.append((told(), scope_current()))
            connection.close()

        with scope(uuid4()):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
        assert seen == [("", None)]
