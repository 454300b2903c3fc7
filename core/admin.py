"""
What staff see of the spine: events and their deliveries, due work, the audit log, rates and idempotency keys. Nothing
is edited or deleted here; dead letters can be replayed. Data keys are not shown at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core import audit, clock, due, events
from core.models import AuditEntry, Delivery, DueWork, Event, IdempotencyKey, Rate


class ReadOnly(admin.options.BaseModelAdmin):  # type: ignore[type-arg]
    """Rows are looked at; whoever may change them may run the actions."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than a reader turns pages: counting millions of rows takes longer than showing fifty of them."""

    CAP = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.CAP].count())


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]
    """
    Pages of somebody's data: whoever opens a row or a list leaves a trace. Put it before other bases. `audited` is the
    beginning of the action's name ("payments.payment"), `audited_type` what the row is called, its last word by default.
    """

    audited = ""
    audited_type = ""
    paginator = CappedPaginator

    def parties_of(self, row: Any) -> set[UUID]:
        """Whom the row is about; each of them can read who looked."""
        return {row.party_id}

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        found = self.get_object(request, object_id)
        if found is not None and self.has_view_or_change_permission(request, found):
            for party_id in sorted(self.parties_of(found)):
                audit.record(
                    f"{self.audited}.viewed",
                    actor=request.user,
                    party_id=party_id,
                    object_type=self.audited_type or self.audited.rpartition(".")[2],
                    object_id=found.pk,
                )
        return super().change_view(request, object_id, form_url, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if self.has_view_or_change_permission(request):
            audit.record(f"{self.audited}.listed", actor=request.user, searched="yes" if request.GET.get("q") else "no")
        return super().changelist_view(request, extra_context)


class SpineAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists of large tables: no count of everything, ids found whole, words by their beginning (both have an index)."""

    show_full_result_count = False
    list_per_page = 50
    paginator = CappedPaginator
    id_fields: tuple[str, ...] = ("id",)
    word_fields: tuple[str, ...] = ()
    # Django shows the search box where this is not empty; `get_search_results` does the searching.
    search_fields = ("id",)
    search_help_text = _("A whole id, or the beginning of a name")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        word = search_term.strip()
        if not word:
            return queryset, False
        found = Q(pk__in=[])
        for field in self.word_fields:
            found |= Q(**{f"{field}__startswith": word})
        if (wanted := _uuid(word)) is not None:
            for field in self.id_fields:
                found |= Q(**{field: wanted})
        return queryset.filter(found), False


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class HandlerFilter(admin.SimpleListFilter):
    """The handlers that are wired: asking the table for its distinct ones would read all of it."""

    title = _("handler")
    parameter_name = "handler"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = sorted({handler for wired in events.wired().values() for handler in wired})
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(handler=self.value()) if self.value() else queryset


class NameFilter(admin.SimpleListFilter):
    """The events that something follows."""

    title = _("name")
    parameter_name = "name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(events.wired())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(name=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    """The kinds of work that somebody does."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in due.kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class DeliveryInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Delivery
    fields = ("handler", "state", "attempts", "next_at", "done_at", "error")
    extra = 0
    show_change_link = True


@admin.register(Event)
class EventAdmin(SpineAdmin):
    list_display = ("created_at", "name", "party_id", "id")
    list_filter = (NameFilter,)
    list_display_links = ("created_at", "name")
    ordering = ("-id",)
    id_fields = ("id", "party_id")
    word_fields = ("name",)
    inlines = (DeliveryInline,)


class ReplayAdmin(SpineAdmin):
    """
    Adds "replay" for rows in the dead letters; every replayed row leaves a trace. A subclass names the service that puts
    rows back in line (`core.events.replay`, `core.due.replay`) and what the audit log calls them.
    """

    actions = ("replay",)
    replayed_by: ClassVar[Callable[..., int]]
    audit_name: ClassVar[str]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"core.change_{self.opts.model_name}"))

    @admin.action(description=_("Replay the chosen dead letters"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            dead = list(queryset.filter(state="dead").select_for_update(of=("self",)))
            count = self.replayed_by([row.pk for row in dead], now=clock.now())
            for row in dead:
                audit.record(f"core.{self.audit_name}.replayed", actor=request.user, object_type=self.audit_name, object_id=row.pk)
        if count:
            self.message_user(request, ngettext("%d dead letter is back in line.", "%d dead letters are back in line.", count) % count)
        else:
            self.message_user(request, _("None of the chosen rows is a dead letter."), messages.WARNING)


@admin.register(Delivery)
class DeliveryAdmin(ReplayAdmin):
    replayed_by = staticmethod(events.replay)
    audit_name = "delivery"
    list_display = ("id", "event", "handler", "state", "attempts", "next_at", "done_at", "error")
    list_filter = ("state", HandlerFilter)
    list_select_related = ("event",)
    ordering = ("-id",)
    id_fields = ("event_id", "event__party_id")
    word_fields = ("event__name",)


@admin.register(DueWork)
class DueWorkAdmin(ReplayAdmin):
    """Never the secret: it is the text of a mail, or as private."""

    replayed_by = staticmethod(due.replay)
    audit_name = "due_work"
    list_display = ("kind", "run_key", "state", "due_at", "attempts", "error", "lease_until", "done_at")
    list_filter = ("state", KindFilter)
    ordering = ("-due_at", "-id")
    fields = ("id", "kind", "run_key", "data", "state", "due_at", "attempts", "error", "lease_until", "created_at", "done_at")
    word_fields = ("kind", "run_key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DueWork]:
        return super().get_queryset(request).defer("secret")


@admin.register(AuditEntry)
class AuditEntryAdmin(Audited, SpineAdmin):
    """Who reads in the log leaves a trace in it, too."""

    audited = "core.audit_entry"
    list_display = ("at", "action", "actor_kind", "actor_id", "party_id", "object_type", "object_id")
    list_filter = ("actor_kind",)
    ordering = ("-id",)
    id_fields = ("id", "actor_id", "party_id", "object_id")
    word_fields = ("action", "object_type")

    def parties_of(self, row: AuditEntry) -> set[UUID]:
        # Of what a person may not learn, they must not learn either that somebody read about it.
        secret = row.party_id is None or row.action.startswith(audit.SECRET_PREFIXES)
        return set() if secret else {row.party_id}  # type: ignore[arg-type]


@admin.register(Rate)
class RateAdmin(SpineAdmin):
    list_display = ("on_date", "currency", "rate")
    ordering = ("-on_date", "currency")
    id_fields = ()
    word_fields = ("currency",)
    search_help_text = _("A currency's code")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(SpineAdmin):
    """Never the answer: it is a person's own."""

    list_display = ("created_at", "client", "key", "status", "locked_until")
    ordering = ("-created_at", "-id")
    fields = ("id", "client", "key", "status", "locked_until", "created_at")
    word_fields = ("client", "key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[IdempotencyKey]:
        return super().get_queryset(request).defer("answer")
