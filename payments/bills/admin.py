"""Staff's view of bills: what was agreed and what became of each run. People call their bills what they like: names are not shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.admin import Audited, ReadOnly
from payments.bills.models import Bill, BillRun


class RunInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = BillRun
    fields = ("period", "state", "pay_on", "due_at", "amount_minor", "tries", "failure_code", "payment", "decided_at")
    readonly_fields = fields
    ordering = ("-on_date",)
    extra = 0
    show_change_link = True


@admin.register(Bill)
class BillAdmin(ReadOnly, Audited):
    audited = "payments.bill"
    list_display = ("created_at", "state", "party_id", "amount_text", "amount_kind", "every", "anchor", "shift", "payee", "reason", "id")
    list_display_links = ("created_at", "id")
    list_filter = ("state", "amount_kind", "every", "currency")
    search_fields = ("=id", "=party__id", "=payee_party__id", "=runs__payment__id")
    search_help_text = _("The whole id of a bill, of its payer or payee, or of a payment")
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    list_per_page = 50
    actions = None
    inlines = (RunInline,)
    fields = (
        "id", "state", "reason", "party_id", "by_person_id", "wallet_id", "payee_party_id", "bank_account_id", "amount_text", "amount_kind",
        "every", "interval", "anchor", "first_on", "last_on", "shift", "country", "at", "time_zone", "approval_id", "created_at",
        "expires_at", "ended_at",
    )  # fmt: skip
    readonly_fields = fields

    def parties_of(self, row: Bill) -> set[UUID]:
        return {party for party in (row.party_id, row.payee_party_id) if party}

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount_text(self, bill: Bill) -> str:
        return str(bill.amount)

    @admin.display(description=_("payee"))
    def payee(self, bill: Bill) -> Any:
        return bill.payee_party_id or _("bank account")


@admin.register(BillRun)
class BillRunAdmin(ReadOnly, Audited):
    audited = "payments.bill_run"
    list_display = ("due_at", "state", "bill_id", "period", "pay_on", "amount_minor", "tries", "failure_code", "payment_id")
    list_filter = ("state", "pay_on")
    search_fields = ("=id", "=bill__id", "=bill__party__id", "=payment__id")
    search_help_text = _("The whole id of a run, a bill, its payer or a payment")
    list_select_related = ("bill",)
    ordering = ("-due_at", "-id")
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def parties_of(self, row: BillRun) -> set[UUID]:
        return {row.bill.party_id}
