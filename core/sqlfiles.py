"""SQL that lives in files beside the app it belongs to, loaded by a migration with its reverse."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations


def run_sql_file(path: Path, *, reverse: str) -> migrations.RunSQL:
    """One operation that runs the whole file; `reverse` is SQL, or RunSQL.noop."""
    return migrations.RunSQL(path.read_text(encoding="utf-8"), reverse)
