"""The counters of sign-in, step-up and codes become a logged table: PostgreSQL empties an unlogged one after a crash."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0003_due_work_by_kind")]

    operations = [migrations.RunSQL("ALTER TABLE core_cache SET LOGGED;", "ALTER TABLE core_cache SET UNLOGGED;")]
