"""Wallets, and the ledger's tables as Django reads them."""

import django.db.models.deletion
from django.db import migrations, models

import core.crypto
import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_partners"),
        ("wallets", "0001_ledger"),
    ]

    operations = [
        migrations.CreateModel(
            name="LedgerAccount",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("currency", models.TextField()),
                ("kind", models.TextField(choices=[("guarded", "Guarded"), ("accumulating", "Accumulating")])),
                ("state", models.TextField(choices=[("open", "Open"), ("closed", "Closed"), ("archived", "Archived")])),
                ("code", models.TextField(null=True)),
                ("posted", models.BigIntegerField()),
                ("held", models.BigIntegerField()),
                ("seq", models.BigIntegerField()),
                ("floor", models.BigIntegerField()),
                ("ceiling", models.BigIntegerField()),
                ("opened_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "ledger account",
                "verbose_name_plural": "ledger accounts",
                "db_table": "ledger_account",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("pk", models.CompositePrimaryKey("account_id", "seq", blank=True, editable=False, primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("balance", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField()),
                ("currency", models.TextField()),
            ],
            options={
                "db_table": "ledger_entry",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="LedgerHold",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("amount", models.BigIntegerField()),
                ("remaining", models.BigIntegerField()),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.TextField(choices=[("open", "Open"), ("captured", "Captured"), ("voided", "Voided"), ("expired", "Expired")]),
                ),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
                "db_table": "ledger_hold",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="LedgerTransfer",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("key", models.UUIDField(unique=True)),
                ("request_hash", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("currency", models.TextField()),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("posted", "Posted"),
                            ("pending", "Pending"),
                            ("capture", "Capture"),
                            ("void", "Void"),
                            ("reversal", "Reversal"),
                        ]
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("effective_at", models.DateTimeField(null=True)),
                ("meta", models.JSONField(null=True)),
            ],
            options={
                "verbose_name": "ledger transfer",
                "verbose_name_plural": "ledger transfers",
                "db_table": "ledger_transfer",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Wallet",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("account", models.BigIntegerField(unique=True, verbose_name="ledger account")),
                ("name", core.crypto.EncryptedTextField(blank=True, default="", owner="party_id", verbose_name="name")),
                (
                    "state",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=8, verbose_name="state"),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed at")),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="wallets", to="accounts.party", verbose_name="party"
                    ),
                ),
            ],
            options={
                "verbose_name": "wallet",
                "verbose_name_plural": "wallets",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("party", "currency"), name="wallets_wallet_one_open"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("state", "open")),
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            _connector="OR",
                        ),
                        name="wallets_wallet_closed_has_time",
                    ),
                ],
            },
        ),
        # A plain integer in the model, so that callers hand it to the ledger as it is; a foreign key all the same.
        migrations.RunSQL(
            "ALTER TABLE wallets_wallet ADD CONSTRAINT wallets_wallet_account_fk FOREIGN KEY (account) REFERENCES ledger_account (id)",
            "ALTER TABLE wallets_wallet DROP CONSTRAINT wallets_wallet_account_fk",
        ),
    ]
