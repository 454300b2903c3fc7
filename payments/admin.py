"""Staff's view of payments: everything to read, three things to do (reverse, refund, decide on a mismatch), nothing to edit."""

from __future__ import annotations

from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import Audited, ReadOnly
from core.errors import HubError
from payments import services
from payments.bills import admin as bills_admin
from payments.models import Kind, Mismatch, Payment, PaymentStep, ProviderEvent, ProviderLink

# Django finds the parts' pages through this module.
__all__ = ["MismatchAdmin", "PaymentAdmin", "ProviderEventAdmin", "bills_admin"]


class StepInline(ReadOnly, admin.TabularInline[PaymentStep, Payment]):
    model = PaymentStep
    fields = ("at", "state", "code")
    ordering = ("id",)
    extra = 0


class ProviderInline(ReadOnly, admin.StackedInline[ProviderLink, Payment]):
    model = ProviderLink
    fields = ("gateway", "object_id", "provider_payment")
    extra = 0


@admin.register(Payment)
class PaymentAdmin(ReadOnly, Audited):
    audited = "payments.payment"
    list_display = ("created_at", "kind", "state", "amount_text", "payer_party_id", "payee_party_id", "failure_code")
    list_filter = ("kind", "state", "suspended", "currency", "created_at")
    search_fields = ("=id", "=payer_party__id", "=payee_party__id", "=provider__object_id", "=provider__provider_payment")
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    # The note is what one person wrote to another: staff have no business reading it here.
    exclude = ("note", "request_hash", "idempotency_key")
    inlines = (StepInline, ProviderInline)
    actions = ("reverse_transfers", "refund_top_ups", "compare_top_ups")

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

    @admin.action(description=_("Ask the provider again about the chosen top-ups that it reported otherwise"), permissions=["compare"])
    def compare_top_ups(self, request: HttpRequest, payments: QuerySet[Payment]) -> None:
        for payment in payments.filter(kind=Kind.TOP_UP):
            try:
                found = services.mismatch_look(by=request.user, payment_id=payment.id, now=clock.now())  # type: ignore[arg-type]
            except HubError as error:
                messages.error(request, f"{payment.id}: {error}")
            else:
                messages.info(request, f"{payment.id}: {found.asked} / {found.reported}")

    def has_compare_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(services.MISMATCH_RIGHT)

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


@admin.register(Mismatch)
class MismatchAdmin(ReadOnly, Audited):
    """Both figures of a top-up, and three decisions: what one member of staff proposes another one decides."""

    audited = "payments.mismatch"
    list_display = (
        "reported_at", "party_id", "asked_text", "reported_text", "is_ours", "proposal", "proposed_by_id", "decision", "decided_by_id",
        "payment_state", "payment_id",
    )  # fmt: skip
    list_display_links = ("reported_at", "payment_id")
    list_filter = ("decision", "proposal", "is_ours", "payment__state")
    search_fields = ("=payment__id", "=payment__party__id", "=payment__provider__object_id")
    search_help_text = _("The whole id of a payment or a party, or the provider's id of the page")
    list_select_related = ("payment",)
    ordering = ("-reported_at", "-id")
    show_full_result_count = False
    list_per_page = 50
    fields = (
        "payment", "party_id", "payment_state", "asked_text", "reported_text", "is_ours", "reported_at",
        "proposal", "proposed_by", "proposed_at", "decision", "decided_by", "decided_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("credit", "send_back", "close")

    def parties_of(self, row: Mismatch) -> set[UUID]:
        return {row.payment.party_id}

    @admin.display(description=_("party"))
    def party_id(self, row: Mismatch) -> UUID:
        return row.payment.party_id

    @admin.display(description=_("state"))
    def payment_state(self, row: Mismatch) -> str:
        return row.payment.get_state_display()

    @admin.display(description=_("asked for"))
    def asked_text(self, row: Mismatch) -> str:
        return str(row.asked)

    @admin.display(description=_("reported by the provider"))
    def reported_text(self, row: Mismatch) -> str:
        return str(row.reported)

    @admin.action(description=_("Credit what the provider received (needs two)"), permissions=["decide"])
    def credit(self, request: HttpRequest, rows: QuerySet[Mismatch]) -> None:
        self._propose(request, rows, Mismatch.Decision.CREDIT)

    @admin.action(description=_("Send back to the card what the provider received (needs two)"), permissions=["decide"])
    def send_back(self, request: HttpRequest, rows: QuerySet[Mismatch]) -> None:
        self._propose(request, rows, Mismatch.Decision.SEND_BACK)

    @admin.action(description=_("Close: nothing is owed to this party (needs two)"), permissions=["decide"])
    def close(self, request: HttpRequest, rows: QuerySet[Mismatch]) -> None:
        self._propose(request, rows, Mismatch.Decision.CLOSE)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(services.MISMATCH_RIGHT)

    def _propose(self, request: HttpRequest, rows: QuerySet[Mismatch], decision: Mismatch.Decision) -> None:
        # An action and not the row's form: Django saves forms in a transaction, and the provider is asked outside of one.
        for row in rows:
            try:
                found = services.mismatch_propose(
                    by=request.user,  # type: ignore[arg-type]
                    payment_id=row.payment_id,
                    decision=decision,
                    now=clock.now(),
                )
            except HubError as error:
                messages.error(request, f"{row.payment_id}: {error}")
            else:
                done = found.payment.get_state_display() if found.decision else say("It waits for a second member of staff.")
                messages.info(request, f"{row.payment_id}: {found.asked} / {found.reported}. {done}")


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnly, Audited):
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
