"""What staff see of the ledger and of wallets: to read only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import Audited, ReadOnly
from wallets.ledger_models import LedgerAccount, LedgerEntry, LedgerHold, LedgerTransfer
from wallets.models import Wallet
from wallets.pots.models import Pot
from wallets.reconciliation import admin as reconciliation_admin
from wallets.safeguarding import admin as safeguarding_admin
from wallets.seals.models import LedgerSeal

__all__ = ["LedgerAccountAdmin", "PotAdmin", "WalletAdmin", "reconciliation_admin", "safeguarding_admin"]
ENTRIES_SHOWN = 50


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The ledger is written by its functions only; a table of millions of rows is never counted for a page."""

    show_full_result_count = False
    list_per_page = 50
    actions = None


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin, Audited):
    audited = "wallets.wallet"
    list_display = ("id", "party_id", "currency", "state", "opened_at", "closed_at")
    list_filter = ("state", "currency")
    search_fields = ("=id", "=party__id")
    exclude = ("name",)
    ordering = ("-opened_at", "-id")


@admin.register(Pot)
class PotAdmin(ReadOnlyAdmin, Audited):
    """People call their pots what they like: names are not shown."""

    audited = "wallets.pot"
    list_display = ("id", "wallet_id", "party_id", "currency", "state", "opened_at", "closed_at")
    list_filter = ("state", "currency")
    search_fields = ("=id", "=wallet__id", "=party__id")
    exclude = ("name", "idempotency_key")
    ordering = ("-opened_at", "-id")


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    list_display = ("id", "code", "currency", "kind", "state", "posted", "held", "seq")
    list_filter = ("kind", "state")
    search_fields = ("=id", "=code")
    ordering = ("-id",)
    readonly_fields = ("newest_entries",)

    @admin.display(description=_("newest entries"))
    def newest_entries(self, account: LedgerAccount) -> SafeString:
        """An entry's key has two parts, which the admin has no pages for; here are the newest."""
        rows = LedgerEntry.objects.filter(account=account).order_by("-seq")[:ENTRIES_SHOWN]
        shown = ((row.seq, f"{row.created_at:%Y-%m-%d %H:%M}", row.transfer_id, row.amount, row.balance) for row in rows)
        return format_html_join("", "{} · {} · {} · {} → {}<br>", shown)


@admin.register(LedgerTransfer)
class LedgerTransferAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "debit_id", "credit_id", "amount", "currency", "created_at")
    list_filter = ("kind",)
    search_fields = ("=id", "=key")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerTransfer]:
        return super().get_queryset(request).select_related("debit", "credit")


@admin.register(LedgerHold)
class LedgerHoldAdmin(ReadOnlyAdmin):
    list_display = ("id", "account_id", "amount", "remaining", "state", "expires_at")
    list_filter = ("state",)
    search_fields = ("=id", "=account__id")
    ordering = ("-id",)


@admin.register(LedgerSeal)
class LedgerSealAdmin(ReadOnlyAdmin):
    list_display = ("number", "size", "last", "sealed_at", "chain_hex")
    fields = ("number", "size", "last", "sealed_at", "root_hex", "chain_hex")
    readonly_fields = fields
    search_fields = ("=number",)
    ordering = ("-number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerSeal]:
        return super().get_queryset(request).defer("prints")
