"""Partners in the staff's pages (settings.OAUTH2_PROVIDER names this class; the toolkit registers it)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from oauth2_provider.admin import ApplicationAdmin

from accounts.models import PartnerApplication
from core import audit


class PartnerApplicationAdmin(ApplicationAdmin):
    list_display = ("name", "client_id", "client_type", "authorization_grant_type", "is_active", "created")
    list_filter = ("is_active", "client_type", "authorization_grant_type")
    search_fields = ("name", "client_id")
    raw_id_fields = ("user", "party")
    radio_fields: ClassVar[dict[str, Any]] = {}
    readonly_fields = ("created", "updated")
    fields = (
        "name", "party", "user", "client_id", "client_secret", "client_type", "authorization_grant_type",
        "redirect_uris", "scopes", "is_active", "created", "updated",
    )  # fmt: skip

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "authorization_grant_type":
            offered = (PartnerApplication.GRANT_AUTHORIZATION_CODE, PartnerApplication.GRANT_CLIENT_CREDENTIALS)
            kwargs["choices"] = [choice for choice in PartnerApplication.GRANT_TYPES if choice[0] in offered]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: PartnerApplication, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit.record(
            "accounts.partner.changed" if change else "accounts.partner.created",
            actor=request.user,
            party_id=obj.party_id,
            object_type="partner",
            object_id=obj.id,
        )

    def has_delete_permission(self, request: HttpRequest, obj: PartnerApplication | None = None) -> bool:
        # Switched off instead: consents and payments keep pointing at it.
        return False
