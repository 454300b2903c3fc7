"""The cache table (counters that must hold without Redis) and the audit log's refusal to change."""

from pathlib import Path

from django.db import migrations

from core.sqlfiles import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("core", "0001_spine")]

    operations = [
        migrations.RunSQL(
            "CREATE UNLOGGED TABLE core_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);"
            "CREATE INDEX core_cache_expires ON core_cache (expires);",
            "DROP TABLE core_cache;",
        ),
        run_sql_file(
            Path(__file__).parent.parent / "sql" / "append_only.sql",
            reverse="DROP TRIGGER core_audit_entry_append_only ON core_audit_entry; DROP FUNCTION core_refuse_change();",
        ),
    ]
