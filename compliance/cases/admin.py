"""Cases: one member of staff proposes, another one decides. Everything shown here is kept from the person (tipping off)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from compliance.cases import services
from compliance.models import Case, Decision, Verdict
from compliance.screening.admin import by_party, matches_shown
from core import clock
from core.admin import Audited, ReadOnly
from core.errors import HubError


class CaseForm(forms.ModelForm[Case]):
    decision = forms.ChoiceField(
        label=_("Your decision"),
        choices=[("", _("No decision yet")), *Decision.choices],
        required=False,
        help_text=_("The first decision is a proposal. It is carried out when somebody else decides the same."),
    )
    remark = forms.CharField(
        label=_("Remark"), widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=services.NOTE_MAX, strip=True
    )

    class Meta:
        model = Case
        fields = ()


@admin.register(Case)
class CaseAdmin(ReadOnly, Audited):
    audited = "compliance.case"
    form = CaseForm
    list_display = ("opened_at", "party_id", "reason", "state", "waiting", "proposal", "proposed_by_id", "decided_by_id", "closed_at")
    list_filter = ("state", "reason", "proposal")
    search_fields = ("id",)
    search_help_text = _("The whole id of a party or a case")
    ordering = ("-opened_at", "id")
    show_full_result_count = False
    actions = None
    _shown = (
        "party", "party_name", "reason", "found", "items_shown", "state", "opened_at",
        "proposal", "proposed_by", "proposed_at", "decided_by", "closed_at", "note",
    )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(services.RIGHT) and (obj is None or obj.state == Case.State.OPEN)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request).annotate(items_count=Count("items"))
        return found

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        return by_party(queryset, search_term), False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self._shown, *(("decision", "remark") if obj and self.has_change_permission(request, obj) else ())]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self._shown)

    def save_model(self, request: HttpRequest, obj: Case, form: Any, change: bool) -> None:
        decision = form.cleaned_data["decision"]
        if not decision:
            return
        try:
            case = services.case_propose(
                by=request.user,  # type: ignore[arg-type]
                case_id=obj.id,
                decision=decision,
                note=form.cleaned_data["remark"],
                now=clock.now(),
            )
        except HubError as error:
            messages.error(request, str(error))
            return
        text = _("It waits for a second member of staff.") if case.state == Case.State.OPEN else case.get_state_display()
        messages.info(request, str(text))

    @admin.display(description=_("waiting"))
    def waiting(self, case: Any) -> int:
        return int(case.items_count)

    @admin.display(description=_("name"))
    def party_name(self, case: Case) -> str:
        return case.party.name

    @admin.display(description=_("matches"))
    def found(self, case: Case) -> SafeString:
        return matches_shown(Verdict.objects.filter(party_id=case.party_id).first())

    @admin.display(description=_("waits for this case"))
    def items_shown(self, case: Case) -> SafeString:
        rows = case.items.order_by("id").values_list("kind", "object_id", "added_at")
        return format_html_join("", "{} {} ({})<br>", ((kind, _linked(kind, found), _moment(at)) for kind, found, at in rows))


def _linked(kind: str, object_id: UUID) -> str | SafeString:
    """A link to the page on which staff look at it, where there is one: cases know what waits by its name and id alone."""
    try:
        return format_html('<a href="{}">{}</a>', reverse(f"admin:payments_{kind}_change", args=[object_id]), object_id)
    except NoReverseMatch:
        return str(object_id)


def _moment(at: datetime) -> str:
    return str(localize(timezone.localtime(at)))
