"""Pots: named parts of a wallet, each with a ledger account of its own."""

import core.crypto
import core.ids
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_known_devices"),
        ("wallets", "0002_wallets"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pot",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("account", models.BigIntegerField(unique=True, verbose_name="ledger account")),
                ("name", core.crypto.EncryptedTextField(default="", max_length=40, owner="party_id", verbose_name="name")),
                ("goal_minor", models.BigIntegerField(blank=True, null=True, verbose_name="goal in minor units")),
                ("goal_on", models.DateField(blank=True, null=True, verbose_name="goal's day")),
                (
                    "state",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=8, verbose_name="state"),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed at")),
                ("idempotency_key", models.CharField(max_length=255)),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.party", verbose_name="party"
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pots", to="wallets.wallet", verbose_name="wallet"
                    ),
                ),
            ],
            options={
                "verbose_name": "pot",
                "verbose_name_plural": "pots",
                "constraints": [
                    models.UniqueConstraint(fields=("wallet", "idempotency_key"), name="wallets_pot_once_a_key"),
                    models.CheckConstraint(
                        condition=models.Q(("goal_minor__isnull", True), ("goal_minor__gt", 0), _connector="OR"),
                        name="wallets_pot_goal_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("goal_on__isnull", True), ("goal_minor__isnull", False), _connector="OR"),
                        name="wallets_pot_day_needs_goal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("state", "open")),
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            _connector="OR",
                        ),
                        name="wallets_pot_closed_has_time",
                    ),
                ],
            },
        ),
        # As for wallets: a plain integer in the model, a foreign key all the same.
        migrations.RunSQL(
            "ALTER TABLE wallets_pot ADD CONSTRAINT wallets_pot_account_fk FOREIGN KEY (account) REFERENCES ledger_account (id)",
            "ALTER TABLE wallets_pot DROP CONSTRAINT wallets_pot_account_fk",
        ),
    ]
