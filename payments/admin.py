"""Staff's view of payments: everything to read, two things to do (reverse, refund), nothing to edit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import Audited
from core.errors import HubError
from payments import services
from payments.bills import admin as bills_admin
from payments.models import Kind, Payment, PaymentStep, ProviderEvent, ProviderLink

# Django finds the parts' pages through this module.
__all__ = ["PaymentAdmin", "ProviderEventAdmin", "bills_admin"]


class _ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StepInline(_ReadOnly, admin.TabularInline[PaymentStep, Payment]):
    model = PaymentStep
    fields = ("at", "state", "code")
    ordering = ("id",)
    extra = 0


class ProviderInline(_ReadOnly, admin.StackedInline[ProviderLink, Payment]):
    model = ProviderLink
    fields = ("gateway", "object_id", "provider_payment")
    extra = 0


@admin.register(Payment)
class PaymentAdmin(_ReadOnly, Audited):
    audited = "payments.payment"
    list_display = ("created_at", "kind", "state", "amount_text", "payer_party_id", "payee_party_id", "failure_code")
    list_filter = ("kind", "state", "suspended", "currency", "created_at")
    search_fields = ("=id", "=payer_party__id", "=payee_party__id", "=provider__object_id", "=provider__provider_payment")
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    # The note is what one person wrote to another: staff have no business reading it here.
    exclude = ("note", "request_hash", "idempotency_key")
    inlines = (StepInline, ProviderInline)
    actions = ("reverse_transfers", "refund_top_ups")

    def parties_of(self, row: Payment) -> set[UUID]:
        return {party for party in (row.payer_party_id, row.payee_party_id) if party}

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount_text(self, payment: Payment) -> str:
        return str(payment.amount)

    @admin.action(description=_("Reverse the chosen transfers"), permissions=["undo"])
    def reverse_transfers(self, request: HttpRequest, payments: QuerySet[Payment]) -> None:
        for payment in payments.filter(kind=Kind.TRANSFER):
            self._try(request, payment, "reverse")

    @admin.action(description=_("Refund the chosen top-ups to their cards"), permissions=["undo"])
    def refund_top_ups(self, request: HttpRequest, payments: QuerySet[Payment]) -> None:
        for payment in payments.filter(kind=Kind.TOP_UP):
            self._try(request, payment, "refund")

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.change_payment")

    def _try(self, request: HttpRequest, payment: Payment, what: str) -> None:
        # One key for each payment: choosing it twice undoes it once.
        how = {
            "by": request.user,
            "payment_id": payment.id,
            "reason": "staff",
            "idempotency_key": f"admin:{what}:{payment.id}",
            "now": clock.now(),
        }
        try:
            movement = services.transfer_reverse(**how) if what == "reverse" else services.top_up_refund(**how)  # type: ignore[arg-type]
        except HubError as error:
            messages.error(request, f"{payment.id}: {error}")
        else:
            messages.success(request, f"{payment.id}: {movement.payment.get_state_display()}")


@admin.register(ProviderEvent)
class ProviderEventAdmin(_ReadOnly, Audited):
    audited = "payments.provider_event"
    list_display = ("received_at", "gateway", "name", "state", "payment_id", "processed_at")
    list_filter = ("gateway", "state", "name")
    search_fields = ("=event_id", "=payment__id")
    ordering = ("-received_at", "id")
    show_full_result_count = False
    exclude = ("body",)
    actions = None

    def parties_of(self, row: ProviderEvent) -> set[UUID]:
        return {row.payment.party_id} if row.payment else set()
