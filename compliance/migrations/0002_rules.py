"""No two rules of one kind at the same moment, and the limits a new hub starts with."""

from datetime import UTC, datetime
from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql" / "limit_rule.sql"

# Minor units of the reference currency. Directions: what goes out by transfer, what comes in by top-up.
LIMITS = {
    3: {"payment": 150_00, "day": 150_00, "month": 500_00, "balance": 500_00},
    2: {"payment": 1_000_00, "day": 2_000_00, "month": 10_000_00, "balance": 15_000_00},
    1: {"payment": 10_000_00, "day": 20_000_00, "month": 100_000_00, "balance": 250_000_00},
}
# Before any clock that a hub is run with, moved ones included.
SINCE = datetime(2000, 1, 1, tzinfo=UTC)


def rules_seed(apps, schema_editor):
    rule = apps.get_model("compliance", "LimitRule")
    for level, amounts in LIMITS.items():
        for window, amount in amounts.items():
            for direction in [""] if window == "balance" else ["out", "in"]:
                known = rule.objects.filter(level=level, window=window, direction=direction)
                if not known.exists():
                    rule.objects.create(level=level, window=window, direction=direction, amount_minor=amount, active_from=SINCE)


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]

    operations = [
        migrations.RunSQL(SQL.read_text(), "ALTER TABLE compliance_limitrule DROP CONSTRAINT compliance_limit_rule_no_overlap"),
        migrations.RunPython(rules_seed, migrations.RunPython.noop),
    ]
