"""Staff's pages of reconciliation: a file compared with an account, and the list of what has to be looked at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import Audited, ReadOnly
from core.crypto import SYSTEM_OWNER
from core.errors import HubError
from core.forms import add_refusal
from core.money import Money
from wallets.reconciliation import services
from wallets.reconciliation.models import NOTE_MAX, ReconciliationItem, ReconciliationRun

FILE_MAX = 20 * 1024 * 1024


class ReconcileForm(forms.Form):
    account = forms.CharField(
        label=_("Account"),
        max_length=80,
        help_text=_("A system account's code (provider:bank), a wallet's or pot's id, or a ledger account's number."),
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, required=False, help_text=_("For a code: EUR, SEK ..."))
    file = forms.FileField(label=_("Statement"), help_text=_("CAMT.053, OFX or the hub's own CSV, at most 20 MB."))

    def clean_file(self) -> Any:
        found = self.cleaned_data["file"]
        if found.size > FILE_MAX:
            raise forms.ValidationError(_("The file is too large."), code="file_too_large")
        return found


class NoteForm(forms.ModelForm):  # type: ignore[type-arg]
    resolution = forms.CharField(
        label=_("What it was"), max_length=NOTE_MAX, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("Saving this resolves it.")
    )

    class Meta:
        model = ReconciliationItem
        fields = ()


def _text(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(Money(minor, currency))


class OwnedAdmin(Audited):
    """Rows of a party's account are that party's business; those of system accounts are nobody's."""

    show_full_result_count = False
    list_per_page = 50
    actions = None

    def parties_of(self, row: Any) -> set[UUID]:
        return set() if row.owner_id == SYSTEM_OWNER else {row.owner_id}


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnly, OwnedAdmin):
    audited = "wallets.reconciliation"
    list_display = ("created_at", "account", "currency", "since", "until", "state", "matched", "missing", "extra", "different", "closings")
    list_filter = ("state", "currency", "format")
    search_fields = ("=id", "=account")
    search_help_text = _("The whole id of a reconciliation, or an account's number")
    ordering = ("-created_at", "-id")
    fields = (
        "id", "account", "currency", "format", "digest", "mirrored", "since", "until", "closings", "matched", "missing", "extra",
        "different", "state", "by_person_id", "created_at", "done_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("closing balance, file / ledger"))
    def closings(self, run: ReconciliationRun) -> str:
        return f"{_text(run.closing_theirs, run.currency) or '-'} / {_text(run.closing_ours, run.currency)}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("wallets.add_reconciliationrun"))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        form = ReconcileForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                run = self._made(request, form.cleaned_data)
            except HubError as error:
                add_refusal(form, error)
            else:
                self.message_user(request, _("The file is compared."))
                return HttpResponseRedirect(reverse("admin:wallets_reconciliationrun_change", args=[run.id]))
        context = {**self.admin_site.each_context(request), "form": form, "opts": self.opts, "title": _("Compare an account with a file")}
        return TemplateResponse(request, "admin/wallets/reconcile.html", context, status=422 if form.errors else 200)

    def _made(self, request: HttpRequest, data: dict[str, Any]) -> ReconciliationRun:
        account = services.account_find(data["account"].strip(), data["currency"].strip().upper())
        by: Any = request.user
        return services.reconcile(account=account, data=data["file"].read(), by=by, now=clock.now())


@admin.register(ReconciliationItem)
class ReconciliationItemAdmin(OwnedAdmin):
    """The work list. A difference is resolved by saying what it was; nothing else about it can be changed."""

    audited = "wallets.reconciliation_item"
    form = NoteForm
    list_display = ("id", "run_id", "kind", "reason", "ours", "ours_on", "theirs", "theirs_on", "transfer", "state")
    list_filter = ("state", "kind", "run__currency")
    list_select_related = ("run",)
    search_fields = ("=id", "=run__id", "=transfer")
    search_help_text = _("The whole id of a difference or its reconciliation, or a transfer's number")
    ordering = ("state", "-id")
    readonly_fields = (
        "id", "run_id", "kind", "reason", "ours", "ours_on", "theirs", "theirs_on", "transfer", "text", "state", "note", "resolved_by_id",
        "resolved_at",
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        open_now = obj is not None and obj.state == ReconciliationItem.State.OPEN and self.has_change_permission(request, obj)
        return (*self.readonly_fields, "resolution") if open_now else self.readonly_fields

    @admin.display(description=_("in the ledger"))
    def ours(self, item: ReconciliationItem) -> str:
        return _text(item.ours_minor, item.run.currency)

    @admin.display(description=_("in the file"))
    def theirs(self, item: ReconciliationItem) -> str:
        return _text(item.theirs_minor, item.run.currency)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_open = obj is None or obj.state == ReconciliationItem.State.OPEN
        return is_open and bool(request.user.has_perm("wallets.change_reconciliationitem"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by: Any = request.user
        services.item_resolve(item_id=obj.pk, note=form.cleaned_data["resolution"], by=by, now=clock.now())

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        # Django's log is kept for ever: no words of anybody's go there.
        return []
