"""Staff's view of lists, their entries and the verdicts. Lists are loaded by the operator's command; nothing is edited here."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from compliance.models import ListEntry, ListName, SanctionsList, Verdict
from core.admin import Audited, ReadOnly


@admin.register(SanctionsList)
class SanctionsListAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("source", "version", "active", "loaded_at", "entries_count", "names_count", "added", "removed", "changed")
    list_filter = ("source", "active")
    ordering = ("-id",)
    actions = None


class NameInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = ListName
    fields = ("text", "kind")
    ordering = ("id",)
    extra = 0


@admin.register(ListEntry)
class ListEntryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("entry_id", "first_name", "schema", "programme", "sanctions_list", "countries")
    list_filter = ("sanctions_list__source", "schema", "sanctions_list__active")
    search_fields = ("=entry_id", "names__text")
    list_select_related = ("sanctions_list",)
    ordering = ("sanctions_list", "id")
    inlines = (NameInline,)
    exclude = ("digest",)
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[ListEntry]:
        return super().get_queryset(request).prefetch_related("names")

    @admin.display(description=_("name"))
    def first_name(self, entry: ListEntry) -> str:
        return min(entry.names.all(), key=lambda name: name.id).text


@admin.register(Verdict)
class VerdictAdmin(ReadOnly, Audited):
    """Who opens one leaves a trace that the person does not see: telling them would warn them."""

    audited = "compliance.screening"
    audited_type = "verdict"

    list_display = ("party_id", "state", "score", "screened_at")
    list_filter = ("state",)
    search_fields = ("id",)
    search_help_text = _("A party's whole id")
    ordering = ("-screened_at", "id")
    show_full_result_count = False
    fields = ("party", "party_name", "state", "score", "screened_at", "found")
    readonly_fields = ("party_name", "found")
    actions = None

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        return by_party(queryset, search_term), False

    @admin.display(description=_("name"))
    def party_name(self, verdict: Verdict) -> str:
        return verdict.party.name

    @admin.display(description=_("matches"))
    def found(self, verdict: Verdict) -> SafeString:
        return matches_shown(verdict)


def by_party(queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Rows of a party, by its whole id: names are encrypted."""
    try:
        return queryset.filter(Q(party_id=UUID(term.strip())) | Q(pk=UUID(term.strip()))) if term.strip() else queryset
    except ValueError:
        return queryset.none()


def matches_shown(verdict: Verdict | None) -> SafeString:
    """Each match with its score and, word by word, why."""
    matches: list[dict[str, Any]] = json.loads(verdict.matches) if verdict and verdict.matches else []
    if not matches:
        return mark_safe("-")
    rows = (
        (match["name"], f"{match['score']:.2f}", match["source"], match["entry_id"], "; ".join(_reason(part) for part in match["parts"]))
        for match in matches
    )
    return format_html("<ul>{}</ul>", format_html_join("", "<li><bdi>{}</bdi>: {} ({} {})<br>{}</li>", rows))


def _reason(part: dict[str, Any]) -> str:
    if part["kind"] in ("word", "name"):
        return f"{part['ours']} = {part['theirs']} ({part['how']}, {part['score']})"
    if part["kind"] == "only":
        return f"{part.get('ours', '')}{part.get('theirs', '')} on one side only"
    return f"{part['kind']} ×{part['factor']}"
