"""Staff's view of levels and limits. Both are dated: staff add what holds from now on, and rewrite nothing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance import services
from compliance.cases import admin as cases_admin
from compliance.errors import RuleInPast
from compliance.identity import admin as identity_admin
from compliance.models import LimitRule, PartyLevel, Usage
from compliance.screening import admin as screening_admin
from core import clock
from core.admin import Audited

# Django finds the parts' pages through this module.
__all__ = ["LimitRuleAdmin", "PartyLevelAdmin", "UsageAdmin", "cases_admin", "identity_admin", "screening_admin"]


class _AddOnly(admin.ModelAdmin[Any]):
    """Rows are added through a service and never edited or deleted here."""

    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LimitRuleForm(forms.ModelForm[LimitRule]):
    active_from = forms.SplitDateTimeField(
        label=pgettext_lazy("day", "From"), required=False, widget=AdminSplitDateTime, help_text=_("Empty: from now on.")
    )

    class Meta:
        model = LimitRule
        fields = ("level", "window", "direction", "amount_minor", "active_from")

    def clean_amount_minor(self) -> int:
        amount: int = self.cleaned_data["amount_minor"]
        if amount < 0:
            raise forms.ValidationError(_("A limit cannot be negative."))
        return amount

    def clean_active_from(self) -> Any:
        now = clock.now()
        chosen = self.cleaned_data["active_from"] or now
        if chosen < now:
            raise forms.ValidationError(RuleInPast.default_message)
        return chosen


@admin.register(LimitRule)
class LimitRuleAdmin(_AddOnly):
    form = LimitRuleForm
    list_display = ("level", "window", "direction", "amount_minor", "active_from", "active_to")
    list_filter = ("level", "window", "direction")
    ordering = ("level", "direction", "window", "-active_from", "id")

    def save_model(self, request: HttpRequest, obj: LimitRule, form: Any, change: bool) -> None:
        rule = services.limit_rule_set(
            level=obj.level,
            window=obj.window,
            direction=obj.direction,
            amount_minor=obj.amount_minor,
            active_from=obj.active_from,
            by=request.user,  # type: ignore[arg-type]
            now=min(clock.now(), obj.active_from),
        )
        obj.id, obj.active_to = rule.id, rule.active_to


@admin.register(PartyLevel)
class PartyLevelAdmin(Audited, _AddOnly):
    audited = "compliance.level"
    fields = ("party", "level", "reason")
    raw_id_fields = ("party",)
    list_display = ("party_id", "level", "active_from", "active_to", "reason", "set_by_id")
    list_filter = ("level",)
    search_fields = ("=party__id",)
    ordering = ("-active_from", "id")
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: PartyLevel, form: Any, change: bool) -> None:
        row = services.level_set(
            party_id=obj.party_id,
            level=obj.level,
            by=request.user,  # type: ignore[arg-type]
            reason=obj.reason,
            now=clock.now(),
        )
        obj.id = row.id


@admin.register(Usage)
class UsageAdmin(Audited, _AddOnly):
    audited = "compliance.usage"
    list_display = ("party_id", "direction", "window", "starts_on", "amount_minor", "currency")
    list_filter = ("window", "direction")
    search_fields = ("=party__id",)
    ordering = ("-starts_on", "party_id", "id")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
