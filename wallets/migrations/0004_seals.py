"""Seals over the ledger's transfers."""

from pathlib import Path

from django.db import migrations, models

from core.sqlfiles import run_sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("wallets", "0003_pots")]

    operations = [
        run_sql_file(SQL / "ledger_seals.sql", reverse=(SQL / "ledger_seals_drop.sql").read_text(encoding="utf-8")),
        run_sql_file(SQL / "ledger_rights.sql", reverse=migrations.RunSQL.noop),
        migrations.CreateModel(
            name="LedgerSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("size", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("sealed_at", models.DateTimeField()),
                ("root", models.BinaryField(max_length=32)),
                ("chain", models.BinaryField(max_length=32)),
                ("prints", models.BinaryField()),
            ],
            options={"verbose_name": "seal", "verbose_name_plural": "seals", "db_table": "ledger_seal", "managed": False},
        ),
    ]
