"""What the application's role may not do, whatever the code above it does."""

from __future__ import annotations

import pytest
from django.db import Error, connection

from core import db as scopes


def rights(privilege: str) -> set[str]:
    """The public tables on which the connected role has the privilege."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND has_table_privilege(oid, %s)",
            [privilege],
        )
        return {name for (name,) in cursor.fetchall()}


def test_tests_run_as_an_ordinary_role(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)


@pytest.mark.parametrize("privilege", ["TRUNCATE", "TRIGGER", "REFERENCES"])
def test_nothing_may_be(db: None, privilege: str) -> None:
    assert rights(privilege) == set()


def test_append_only_tables_can_be_read_and_added_to(db: None) -> None:
    tables = scopes.APPEND_ONLY - scopes.READ_ONLY
    assert "core_audit_entry" in tables
    assert tables <= rights("SELECT") & rights("INSERT")
    assert not tables & (rights("UPDATE") | rights("DELETE"))


def test_read_only_tables_can_be_read(db: None) -> None:
    assert rights("SELECT") >= scopes.READ_ONLY
    assert not scopes.READ_ONLY & (rights("INSERT") | rights("UPDATE") | rights("DELETE"))


def test_named_tables_exist(db: None) -> None:
    assert rights("SELECT") >= scopes.APPEND_ONLY | scopes.READ_ONLY | {"django_migrations"}


def test_the_migrations_cannot_be_rewritten(db: None) -> None:
    assert "django_migrations" not in rights("INSERT") | rights("UPDATE") | rights("DELETE")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE core_event ADD COLUMN x int",
        "ALTER TABLE core_audit_entry DISABLE TRIGGER ALL",
        "DROP TABLE core_event",
        "DROP TRIGGER core_audit_entry_append_only ON core_audit_entry",
        "CREATE TABLE public.mine (x int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "GRANT DELETE ON core_audit_entry TO PUBLIC",
    ],
)
def test_the_schema_is_the_owners(fresh_db: str, statement: str) -> None:
    with connection.cursor() as cursor:
        if statement.startswith("GRANT"):
            # PostgreSQL only warns when somebody grants what he does not have.
            cursor.execute(statement)
            assert "core_audit_entry" not in rights("DELETE")
            return
        with pytest.raises(Error, match=r"permission denied|must be owner"):
            cursor.execute(statement)
