"""Comparisons with external statements, and the daily safeguarding reports."""

import core.crypto
import core.ids
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallets", "0005_batches"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SafeguardingReport",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("on", models.DateField(unique=True, verbose_name="day")),
                ("at", models.DateTimeField(verbose_name="read at")),
                ("agrees", models.BooleanField(verbose_name="agrees")),
            ],
            options={
                "verbose_name": "safeguarding report",
                "verbose_name_plural": "safeguarding reports",
                "db_table": "wallets_safeguarding_report",
            },
        ),
        migrations.CreateModel(
            name="ReconciliationRun",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("account", models.BigIntegerField(verbose_name="ledger account")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("owner_id", models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000"))),
                ("format", models.CharField(max_length=16, verbose_name="format")),
                ("digest", models.CharField(max_length=64)),
                ("mirrored", models.BooleanField(verbose_name="mirrored")),
                ("since", models.DateField(verbose_name="first day")),
                ("until", models.DateField(verbose_name="last day")),
                ("closing_theirs", models.BigIntegerField(null=True, verbose_name="closing balance in the file")),
                ("closing_ours", models.BigIntegerField(verbose_name="closing balance in the ledger")),
                ("matched", models.IntegerField(verbose_name="matched")),
                ("missing", models.IntegerField(verbose_name="missing")),
                ("extra", models.IntegerField(verbose_name="extra")),
                ("different", models.IntegerField(verbose_name="different")),
                ("state", models.CharField(choices=[("open", "Open"), ("done", "Done")], max_length=8, verbose_name="state")),
                ("created_at", models.DateTimeField(verbose_name="made")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
                (
                    "by_person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "reconciliation",
                "verbose_name_plural": "reconciliations",
            },
        ),
        migrations.CreateModel(
            name="ReconciliationItem",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("owner_id", models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000"))),
                (
                    "kind",
                    models.CharField(
                        choices=[("missing", "Missing"), ("extra", "Extra"), ("different", "Different")], max_length=10, verbose_name="kind"
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=10, verbose_name="reason")),
                ("transfer", models.BigIntegerField(null=True, verbose_name="ledger transfer")),
                ("ours_minor", models.BigIntegerField(null=True, verbose_name="amount in the ledger")),
                ("ours_on", models.DateField(null=True, verbose_name="day in the ledger")),
                ("theirs_minor", models.BigIntegerField(null=True, verbose_name="amount in the file")),
                ("theirs_on", models.DateField(null=True, verbose_name="day in the file")),
                ("text", core.crypto.EncryptedTextField(blank=True, default="", owner="owner_id", verbose_name="words of the file")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("resolved", "Resolved")], default="open", max_length=8, verbose_name="state"
                    ),
                ),
                ("note", core.crypto.EncryptedTextField(blank=True, default="", max_length=500, owner="owner_id", verbose_name="note")),
                ("resolved_at", models.DateTimeField(null=True, verbose_name="resolved")),
                (
                    "resolved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="wallets.reconciliationrun",
                        verbose_name="reconciliation",
                    ),
                ),
            ],
            options={
                "verbose_name": "difference",
                "verbose_name_plural": "differences",
            },
        ),
        migrations.CreateModel(
            name="SafeguardingPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=32, verbose_name="provider")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("ledger", models.BigIntegerField(verbose_name="in the ledger")),
                ("reported", models.BigIntegerField(null=True, verbose_name="says the provider")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for the provider"),
                            ("agrees", "Agrees"),
                            ("differs", "Differs"),
                            ("unavailable", "No answer"),
                        ],
                        default="waiting",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("failure_code", models.CharField(blank=True, default="", max_length=40, verbose_name="why")),
                ("reported_at", models.DateTimeField(null=True, verbose_name="answered at")),
                (
                    "report",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="places", to="wallets.safeguardingreport"),
                ),
            ],
            options={
                "verbose_name": "provider in a safeguarding report",
                "verbose_name_plural": "providers in safeguarding reports",
            },
        ),
        migrations.CreateModel(
            name="SafeguardingLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("client_money", models.BigIntegerField(verbose_name="client money")),
                ("people", models.BigIntegerField(verbose_name="owed in wallets and pots")),
                ("suspense", models.BigIntegerField(verbose_name="owed otherwise")),
                ("difference", models.BigIntegerField(verbose_name="difference")),
                (
                    "report",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="wallets.safeguardingreport"),
                ),
            ],
            options={
                "verbose_name": "line of a safeguarding report",
                "verbose_name_plural": "lines of safeguarding reports",
                "db_table": "wallets_safeguarding_line",
            },
        ),
        migrations.AddConstraint(
            model_name="reconciliationrun",
            constraint=models.UniqueConstraint(fields=("account", "digest"), name="wallets_reconciliation_once_a_file"),
        ),
        migrations.AddIndex(
            model_name="reconciliationitem",
            index=models.Index(condition=models.Q(("state", "open")), fields=["run"], name="wallets_reconciliation_open"),
        ),
        migrations.AddConstraint(
            model_name="reconciliationitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolved_at__isnull", True), ("state", "open")),
                    models.Q(("resolved_at__isnull", False), ("state", "resolved")),
                    _connector="OR",
                ),
                name="wallets_reconciliation_resolved_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="safeguardingplace",
            constraint=models.UniqueConstraint(fields=("report", "provider", "currency"), name="wallets_safeguarding_place_once"),
        ),
        migrations.AddConstraint(
            model_name="safeguardingline",
            constraint=models.UniqueConstraint(fields=("report", "currency"), name="wallets_safeguarding_line_once"),
        ),
    ]
