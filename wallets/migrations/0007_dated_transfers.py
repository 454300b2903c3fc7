"""Balances as effective at a moment."""

from pathlib import Path

from django.db import migrations

from core.sqlfiles import run_sql_file

SQL = Path(__file__).parent.parent / "sql"
REVERSE = """
DROP FUNCTION ledger_balance_effective(bigint, timestamptz, timestamptz);
DROP INDEX ledger_transfer_dated_debit;
DROP INDEX ledger_transfer_dated_credit;
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0006_reconciliation_safeguarding")]

    operations = [
        run_sql_file(SQL / "ledger_dated.sql", reverse=REVERSE),
        run_sql_file(SQL / "ledger_rights.sql", reverse=migrations.RunSQL.noop),
    ]
