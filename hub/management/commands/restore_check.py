"""Is this database, brought back from a backup, whole? Tables, rights, keys and books; exit 1 and a list when not."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Party, Person
from core import db
from core.crypto import CryptoError
from core.db import SYSTEM, scope
from core.management.output import HubCommand
from wallets.verify import verify

# Enough to know that the keys are the right ones.
PEOPLE = 200


class Command(HubCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        with scope(SYSTEM):
            report = verify()
            problems = [f"{problem['kind']} {problem['where']}" for problem in report.problems]
            problems += [*_tables(), *_rights(), *_keys()]
            document = {
                "ok": not problems,
                "people": Person.objects.count(),
                "parties": Party.objects.count(),
                "transfers": report.transfers,
                "sums": report.sums,
                "problems": problems,
            }
        self.say(document, as_json=options["json"])
        if problems:
            self.fail(f"This database has {len(problems)} problems.", code=1)


def _tables() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"migration missing: {migration.app_label} {migration.name}" for migration, _ in plan]


def _rights() -> list[str]:
    """Rights are part of a dump, and get lost when the roles have other names or --no-acl was used."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s) name WHERE has_table_privilege(current_user, name, 'UPDATE')"
            " OR has_table_privilege(current_user, name, 'DELETE') OR has_table_privilege(current_user, name, 'TRUNCATE')",
            [sorted(db.APPEND_ONLY | db.READ_ONLY)],
        )
        found = [f"the application may change {name}" for (name,) in cursor.fetchall()]
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
            " AND has_function_privilege('public', oid, 'EXECUTE')"
        )
        return found + [f"everybody may call {name}" for (name,) in cursor.fetchall()]


def _keys() -> list[str]:
    try:
        for person in Person.objects.filter(closed_at__isnull=True).order_by("-id")[:PEOPLE]:
            str(person.name)
    except CryptoError as error:
        return [f"the keys do not open the data: {type(error).__name__}"]
    return []
