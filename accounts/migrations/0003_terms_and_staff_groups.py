"""The first terms of use and privacy notice, and the three groups of staff (their rights: accounts/staff_groups.py)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import migrations

FOLDER = Path(__file__).resolve().parent.parent / "texts"
# Before anybody could sign up, so that version 1 is in force from the first moment.
EFFECTIVE_FROM = datetime(2020, 1, 1, tzinfo=UTC)
DOCUMENTS = (("terms-of-use", "Terms of use"), ("privacy", "Privacy notice"))


def texts_add(apps: Any, schema_editor: Any) -> None:
    terms = apps.get_model("accounts", "Terms")
    for slug, title in DOCUMENTS:
        text = (FOLDER / f"{slug}-1.en.txt").read_text(encoding="utf-8")
        terms.objects.get_or_create(
            slug=slug, version=1, language="en", defaults={"title": title, "text": text, "effective_from": EFFECTIVE_FROM}
        )


def groups_add(apps: Any, schema_editor: Any) -> None:
    group = apps.get_model("auth", "Group")
    for name in ("support", "compliance", "operations"):
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_identity"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.RunPython(texts_add, migrations.RunPython.noop),
        migrations.RunPython(groups_add, migrations.RunPython.noop),
    ]
