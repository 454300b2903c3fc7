"""Staff's view of the daily reports: to read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnly
from core.money import Money
from wallets.safeguarding.models import SafeguardingLine, SafeguardingPlace, SafeguardingReport


def _text(row: Any, minor: int | None) -> str:
    return "" if minor is None else str(Money(minor, row.currency))


class LineInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = SafeguardingLine
    fields = ("currency", "at_providers", "owed", "owed_otherwise", "what_differs")
    readonly_fields = fields
    ordering = ("currency",)
    extra = 0

    @admin.display(description=_("client money at providers"))
    def at_providers(self, line: SafeguardingLine) -> str:
        return _text(line, line.client_money)

    @admin.display(description=_("owed in wallets and pots"))
    def owed(self, line: SafeguardingLine) -> str:
        return _text(line, line.people)

    @admin.display(description=_("owed otherwise"))
    def owed_otherwise(self, line: SafeguardingLine) -> str:
        return _text(line, line.suspense)

    @admin.display(description=_("difference"))
    def what_differs(self, line: SafeguardingLine) -> str:
        return _text(line, line.difference)


class PlaceInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = SafeguardingPlace
    fields = ("provider", "currency", "in_ledger", "says", "what_differs", "state", "failure_code", "reported_at")
    readonly_fields = fields
    ordering = ("provider", "currency")
    extra = 0

    @admin.display(description=_("in the ledger"))
    def in_ledger(self, place: SafeguardingPlace) -> str:
        return _text(place, place.ledger)

    @admin.display(description=_("says the provider"))
    def says(self, place: SafeguardingPlace) -> str:
        return _text(place, place.reported)

    @admin.display(description=_("difference"))
    def what_differs(self, place: SafeguardingPlace) -> str:
        return _text(place, place.difference)


@admin.register(SafeguardingReport)
class SafeguardingReportAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("on", "at", "agrees", "providers")
    list_filter = ("agrees",)
    ordering = ("-on",)
    date_hierarchy = "on"
    fields = ("on", "at", "agrees")
    inlines = (LineInline, PlaceInline)
    list_per_page = 50
    actions = None

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).prefetch_related("places")

    @admin.display(description=_("providers"))
    def providers(self, report: SafeguardingReport) -> str:
        states = [SafeguardingPlace.State(place.state) for place in report.places.all()]
        return ", ".join(f"{state.label}: {states.count(state)}" for state in SafeguardingPlace.State if state in states)
