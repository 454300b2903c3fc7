"""
What the application's database role may do, set anew after every migration by the owner.

The role can read and write ordinary tables, only add to append-only ones, only read those that are written through the
owner's functions, and truncate nothing.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from django.apps import apps
from django.conf import settings
from django.db import connections
from psycopg2 import sql

from core import db


def after_migrate(*, using: str, **_: Any) -> None:
    role = unquote(urlsplit(settings.DATABASE_URL).username or "")
    connection = connections[using]
    if role and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s)", [role])
            current, exists = cursor.fetchone()
            if current != role and exists:
                _grant(cursor, role)


def _grant(cursor: Any, role: str) -> None:
    name = sql.Identifier(role)
    cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
    cursor.execute(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name))
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    for (table,) in cursor.fetchall():
        if table in db.READ_ONLY:
            rights = "SELECT"
        elif table in db.APPEND_ONLY:
            rights = "SELECT, INSERT"
        elif table == "django_migrations":
            rights = "SELECT"
        else:
            rights = "SELECT, INSERT, UPDATE, DELETE"
        cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(table), name))
        cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(table), name))
    # Functions of the owner that stand in for rights the role lacks: named by their app's prefix.
    for label in sorted(config.label for config in apps.get_app_configs()):
        for prefix in getattr(apps.get_app_config(label), "sql_function_prefixes", ()):
            cursor.execute(
                "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
                " AND proowner = current_user::regrole AND starts_with(proname, %s)",
                [prefix],
            )
            for (signature,) in cursor.fetchall():
                cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(signature), name))
