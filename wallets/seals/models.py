"""The seals, to read. They are made by wallets/sql/ledger_seals.sql only."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LedgerSeal(models.Model):
    """
    `root` is over the first `size` transfers, the newest of them `last`; `chain` is over this seal and the one before.
    `prints` (two bytes of each new leaf) is long: lists leave it out.
    """

    number = models.BigIntegerField(primary_key=True)
    size = models.BigIntegerField()
    last = models.BigIntegerField()
    sealed_at = models.DateTimeField()
    root = models.BinaryField(max_length=32)
    chain = models.BinaryField(max_length=32)
    prints = models.BinaryField()

    class Meta:
        managed = False
        db_table = "ledger_seal"
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self) -> str:
        return str(self.number)

    @property
    def root_hex(self) -> str:
        return bytes(self.root).hex()

    @property
    def chain_hex(self) -> str:
        return bytes(self.chain).hex()
