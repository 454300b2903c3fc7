"""The ledger: tables, guards and functions from wallets/sql, and Django's view of the tables."""

from pathlib import Path

from django.db import migrations

from core.sqlfiles import run_sql_file

SQL = Path(__file__).parent.parent / "sql"
FILES = ("ledger_tables", "ledger_guards", "ledger_accounts", "ledger_post", "ledger_holds", "ledger_reverse", "ledger_rights")


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.RunSQL("", (SQL / "ledger_drop.sql").read_text(encoding="utf-8")),
        *(run_sql_file(SQL / f"{name}.sql", reverse=migrations.RunSQL.noop) for name in FILES),
    ]
