"""Partners' endpoints and what was sent there. Secrets are shown once, to whoever makes the endpoint."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import Audited
from core.errors import HubError
from engagement.webhooks import services, wire
from engagement.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from engagement.webhooks.types import NAMES


class EndpointForm(forms.ModelForm[WebhookEndpoint]):
    url = forms.CharField(label=_("Address"), max_length=wire.URL_MAX)
    events = forms.MultipleChoiceField(
        label=_("Event types"),
        choices=[(name, name) for name in NAMES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None means all."),
    )

    class Meta:
        model = WebhookEndpoint
        fields: ClassVar[list[str]] = ["application", "url", "events"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                self.made = services.endpoint_create(
                    application=data["application"], url=data["url"], event_types=data["events"], by=self.staff, now=clock.now()
                )
            except HubError as error:
                self.add_error(error.field if error.field in self.fields else None, str(error.message))
        return data

    staff: Any = None
    made: services.EndpointCreated


class ReasonFilter(admin.SimpleListFilter):
    """Why they are off. Not the column's own values: most endpoints are on, and an empty reason would be a link without words."""

    title = _("why it is off")
    parameter_name = "why"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason, reason) for reason in ("deleted", "failing", "gone", "partner", "staff")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(disabled_reason=self.value()) if self.value() else queryset


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(Audited):
    audited = "engagement.webhook_endpoint"
    form = EndpointForm
    list_display = ("created_at", "application", "state", "disabled_reason", "failing_since", "failures", "deleted_at")
    list_filter = ("state", ReasonFilter)
    list_select_related = ("application",)
    search_fields = ("=id", "application__name", "=application__party__id")
    ordering = ("-created_at", "-id")
    raw_id_fields = ("application",)
    actions = ("switch_on", "switch_off")
    show_full_result_count = False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.staff = request.user  # type: ignore[attr-defined]
        return form

    def parties_of(self, row: WebhookEndpoint) -> set[UUID]:
        return {row.application.party_id}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        more = ("state", "disabled_reason", "failing_since", "failures", "created_at", "deleted_at") if obj else ()
        return ("application", "url", "events", *more)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Opened to be read; the list's actions change it.
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        obj.pk = form.made.endpoint.pk
        self.message_user(
            request, _("The secret is shown this once, hand it over safely: %(secret)s") % {"secret": form.made.secret}, messages.WARNING
        )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit log has it, with the party it is about."""
        return None

    @admin.action(description=_("Switch the chosen endpoints on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        self._switch(request, queryset, True)

    @admin.action(description=_("Switch the chosen endpoints off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        self._switch(request, queryset, False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint], enabled: bool) -> None:
        for endpoint in queryset.filter(deleted_at__isnull=True).select_related("application"):
            services.endpoint_change(endpoint=endpoint, enabled=enabled, by=request.user)  # type: ignore[arg-type]
        self.message_user(request, _("Done."), messages.SUCCESS)


class TryInline(admin.TabularInline[WebhookTry, WebhookDelivery]):
    model = WebhookTry
    fields = readonly_fields = ("at", "status", "error", "took_ms")
    ordering = ("id",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("engagement.view_webhookdelivery"))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(Audited):
    audited = "engagement.webhook_delivery"
    list_select_related = ("endpoint",)
    list_display = ("created_at", "event_type", "state", "tries", "endpoint", "party_id", "delivered_at")
    list_filter = ("state", "event_type")
    search_fields = ("=id", "=endpoint__id", "=party__id")
    ordering = ("-created_at", "-id")
    inlines = (TryInline,)
    actions = ("resend",)
    show_full_result_count = False

    def parties_of(self, row: WebhookDelivery) -> set[UUID]:
        return {party for party in (row.endpoint.application.party_id, row.party_id) if party}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Send the chosen messages again"), permissions=["change"])
    def resend(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        for delivery in queryset.select_related("endpoint__application"):
            try:
                services.delivery_resend(delivery=delivery, now=clock.now(), by=request.user)  # type: ignore[arg-type]
            except HubError as error:
                self.message_user(request, str(error.message), messages.ERROR)
                return
        self.message_user(request, _("Done."), messages.SUCCESS)
