"""What staff see of people: mostly to read, and every look at a person is in the audit log that the person can read."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import selectors, services
from accounts.models import Membership, Party, Person, Terms, TermsAcceptance
from core import clock
from core.admin import Audited


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Staff look; changes go through services and their actions."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        # The right to change stands for the list's actions; on the page there is nothing to save.
        hidden = {"show_save": False, "show_save_and_continue": False, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, hidden)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin, Audited):
    audited = "accounts.person"
    list_display = ("id", "email", "is_active", "is_staff", "created_at", "closed_at")
    list_filter = ("is_active", "is_staff", "language")
    search_fields = ("email",)
    search_help_text = _("The whole e-mail address, a handle with @, or an id")
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    actions = ("deactivate",)
    fields = (
        "id", "party", "email", "name", "language", "time_zone", "home_currency",
        "is_active", "is_staff", "groups", "created_at", "last_login", "closed_at",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        person, party = selectors.person_by_email(search_term), selectors.party_by_handle(search_term)
        found = Q(id=person.id if person else None) | Q(party=party)
        if (wanted := _uuid(search_term)) is not None:
            found |= Q(id=wanted) | Q(party_id=wanted)
        return queryset.filter(found), False

    @admin.action(description=_("Stop them from signing in and end their sessions"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        for person in queryset.exclude(pk=str(request.user.pk)):
            services.person_deactivate(person=person, by=request.user, now=clock.now(), reason="staff")  # type: ignore[arg-type]
        self.message_user(request, _("Done."), messages.SUCCESS)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    can_delete = False
    fields = readonly_fields = ("person", "role", "active_from", "active_to")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Party)
class PartyAdmin(ReadOnlyAdmin, Audited):
    audited = "accounts.party"
    list_display = ("id", "kind", "state", "created_at")
    list_filter = ("kind", "state")
    search_fields = ("id",)
    search_help_text = _("A handle with @, or an id")
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    fields = ("id", "kind", "name", "handle", "state", "created_at", "closed_at")
    inlines = (MembershipInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        party = selectors.party_by_handle(search_term)
        found = Q(id=party.id if party else None)
        if (wanted := _uuid(search_term)) is not None:
            found |= Q(id=wanted)
        return queryset.filter(found), False

    def parties_of(self, row: Party) -> set[UUID]:
        return {row.id}


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin, Audited):
    audited = "accounts.membership"
    list_display = ("id", "party", "person", "role", "active_from", "active_to")
    list_filter = ("role",)
    search_fields = ("=id", "=party__id", "=person__id")
    search_help_text = _("The whole id of a membership, a party or a person")
    ordering = ("-active_from", "-id")
    show_full_result_count = False

    def parties_of(self, row: Membership) -> set[UUID]:
        return {row.party_id, row.person.party_id}


@admin.register(Terms)
class TermsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A version is written before it takes effect and never after."""

    list_display = ("slug", "version", "language", "title", "effective_from")
    list_filter = ("slug", "language")
    ordering: ClassVar[tuple[str, ...]] = ("slug", "-version", "language")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Terms | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.effective_from > clock.now())


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnlyAdmin, Audited):
    audited = "accounts.terms_acceptance"
    list_display = ("id", "person_id", "slug", "version", "language", "accepted_at")
    list_filter = ("slug", "version")
    search_fields = ("=id", "=person__id", "=person__party__id")
    search_help_text = _("The whole id of an acceptance, a person or their party")
    ordering = ("-accepted_at", "-id")
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def parties_of(self, row: TermsAcceptance) -> set[UUID]:
        return {row.person.party_id}
