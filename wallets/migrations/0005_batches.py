"""Batches, journals, and a shorter way for single transfers."""

from pathlib import Path

from django.db import migrations

from core.sqlfiles import run_sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("wallets", "0004_seals")]

    operations = [
        # The new functions answer as the old ones do and stay when this is undone.
        run_sql_file(SQL / "ledger_single.sql", reverse=migrations.RunSQL.noop),
        run_sql_file(SQL / "ledger_batch.sql", reverse=(SQL / "ledger_batch_drop.sql").read_text(encoding="utf-8")),
        run_sql_file(SQL / "ledger_rights.sql", reverse=migrations.RunSQL.noop),
    ]
