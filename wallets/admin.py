"""What staff see of the ledger and of wallets: to read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from core import audit
from wallets.ledger_models import LedgerAccount, LedgerHold, LedgerTransfer
from wallets.models import Wallet


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The ledger is written by its functions only; a table of millions of rows is never counted for a page."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    list_display = ("id", "party_id", "currency", "state", "opened_at", "closed_at")
    list_filter = ("state", "currency")
    search_fields = ("=id", "=party__id")
    exclude = ("name",)
    ordering = ("-opened_at", "-id")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        found = self.get_object(request, object_id)
        if found is not None:
            audit.record("wallets.wallet.viewed", actor=request.user, party_id=found.party_id, object_type="wallet", object_id=found.pk)
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    list_display = ("id", "code", "currency", "kind", "state", "posted", "held", "seq")
    list_filter = ("kind", "state")
    search_fields = ("=id", "=code")
    ordering = ("-id",)


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
