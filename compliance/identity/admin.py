"""
Staff's view of identity details: who waits to be verified, and the decision. Opening one leaves a trace that the person can
read; the list shows no name and no number.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from compliance.identity import selectors, services
from compliance.identity.models import DeclineReason, IdentityData, IdentityState
from core import clock
from core.admin import Audited
from core.errors import HubError

VERIFY, DECLINE = "verify", "decline"


class DecisionForm(forms.ModelForm[IdentityData]):
    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[(VERIFY, _("The document agrees: level 1")), (DECLINE, _("Decline: back to level 3"))],
        widget=forms.RadioSelect,
    )
    why = forms.ChoiceField(label=_("Reason, for a decline"), choices=[("", "---------"), *DeclineReason.choices], required=False)
    remark = forms.CharField(label=_("Note for staff"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    class Meta:
        model = IdentityData
        fields: ClassVar[list[str]] = []

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("decision") == DECLINE and not data.get("why"):
            self.add_error("why", _("Say why."))
        return data


@admin.register(IdentityData)
class IdentityDataAdmin(Audited):
    audited = "compliance.identity"
    form = DecisionForm
    list_display = ("submitted_at", "state", "party_id", "country", "document_kind", "document_country", "format_known", "decided_at")
    list_filter = ("state", "document_kind", "format_known", "country")
    search_fields = ("=id", "=party__id")
    ordering = ("-submitted_at", "-id")
    show_full_result_count = False
    actions = None
    shown = (
        "party_id", "state", "legal_name", "birth_date_text", "street", "postcode", "city", "country", "document_kind", "document_country",
        "document_number", "format_known", "same_document", "submitted_at", "decided_at", "decided_by_id", "reason", "note",
    )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        parts: list[Any] = [(None, {"fields": self.shown})]
        if self._may_decide(request, obj):
            parts.append((_("Your decision"), {"fields": ("decision", "why", "remark")}))
        return parts

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.shown

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: IdentityData | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.state == IdentityState.CHECKED)

    def _may_decide(self, request: HttpRequest, obj: IdentityData | None) -> bool:
        return obj is not None and self.has_change_permission(request, obj)

    @admin.display(description=_("the same document at other parties"))
    def same_document(self, obj: IdentityData) -> int:
        return selectors.same_document(obj)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        hidden = {"show_save_and_continue": False, "show_save_and_add_another": False, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, hidden)

    def save_model(self, request: HttpRequest, obj: IdentityData, form: Any, change: bool) -> None:
        data, staff = form.cleaned_data, request.user
        try:
            if data["decision"] == VERIFY:
                services.identity_verify(identity_id=obj.id, by=staff, note=data["remark"], now=clock.now())  # type: ignore[arg-type]
            else:
                services.identity_decline(
                    identity_id=obj.id,
                    by=staff,  # type: ignore[arg-type]
                    reason=data["why"],
                    note=data["remark"],
                    now=clock.now(),
                )
        except HubError as error:
            self.message_user(request, str(error.message), messages.ERROR)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's own history would keep what was typed; the audit log says who decided what."""
        return None
