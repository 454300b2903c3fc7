"""Pages about oneself: profile, sessions, closing, terms, and the page that asks for approval."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import approvals, devices, selectors, services
from accounts.documents import blocks_of
from accounts.errors import AccountNotEmpty, ApprovalInvalid, TriesExhausted
from accounts.forms import PasswordForm, ProfileForm
from accounts.models import Approval, Person
from accounts.models.approvals import LIFETIME
from core import clock
from core.errors import HubError
from core.forms import add_refusal


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def _next_path(request: HttpRequest, default: str) -> str:
    path = request.POST.get("next") or request.GET.get("next") or ""
    return path if path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None) else default


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    person = _person(request)
    form = ProfileForm(request.POST or None, initial=ProfileForm.initial_of(person))
    if request.method == "POST" and form.is_valid():
        try:
            services.profile_save(person=person, now=clock.now(), **form.cleaned_data)
        except HubError as error:
            add_refusal(form, error)
            # What was refused must not be shown as if it were so.
            person.refresh_from_db()
        else:
            translation.activate(person.language)
            messages.success(request, _("Your profile is saved."))
            return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form, "person": person}, status=422 if form.errors else 200)


@login_required
@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    rows = selectors.sessions_for(_person(request), current_key=request.session.session_key)
    listed = [{"row": row, "name": devices.device_name(row.device)} for row in rows]
    return render(request, "accounts/sessions.html", {"sessions": listed, "others": sum(not row.is_current for row in rows)})


@login_required
@require_POST
def session_end(request: HttpRequest, session_id: UUID) -> HttpResponse:
    services.session_end(person=_person(request), session_id=session_id)
    messages.success(request, _("The session is ended."))
    return redirect("sessions")


@login_required
@require_POST
def sessions_end_others(request: HttpRequest) -> HttpResponse:
    services.sessions_end_others(person=_person(request), current_key=request.session.session_key or "")
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("sessions")


@sensitive_post_parameters("password")
@login_required
@require_http_methods(["GET", "POST"])
def close_account(request: HttpRequest) -> HttpResponse:
    person = _person(request)
    form = PasswordForm(request.POST or None)
    reasons = services.closing_reasons(person.party_id)
    if request.method == "POST" and form.is_valid():
        try:
            services.account_close(person=person, password=form.cleaned_data["password"], now=clock.now())
        except AccountNotEmpty as error:
            reasons = error.extra["reasons"]
            form.add_error(None, str(error.message))
        except HubError as error:
            add_refusal(form, error)
        else:
            logout(request)
            return render(request, "accounts/closed.html")
    return render(request, "accounts/close.html", {"form": form, "reasons": reasons}, status=422 if form.errors else 200)


@require_GET
def terms(request: HttpRequest, slug: str) -> HttpResponse:
    asked = request.GET.get("version", "")
    version = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None
    document = selectors.terms_get(slug, version=version)
    if document is None:
        raise Http404
    return render(request, "accounts/terms.html", {"terms": document, "blocks": blocks_of(document.text)})


@login_required
@require_http_methods(["GET", "POST"])
def terms_accept(request: HttpRequest) -> HttpResponse:
    person = _person(request)
    if request.method == "POST":
        services.terms_accept(person, now=clock.now())
        return HttpResponseRedirect(_next_path(request, "/"))
    missing = selectors.terms_missing(person)
    if not missing:
        return HttpResponseRedirect(_next_path(request, "/"))
    documents = [{"terms": document, "blocks": blocks_of(document.text)} for document in missing]
    return render(request, "accounts/terms_accept.html", {"documents": documents, "next": _next_path(request, "/")})


@sensitive_post_parameters("password")
@login_required
@require_http_methods(["GET", "POST"])
def approve(request: HttpRequest, approval_id: UUID) -> HttpResponse:
    """Shows exactly what is approved, asks for the password, then goes on to the page that carries it out."""
    person = _person(request)
    approval = selectors.approval_get(person, approval_id)
    form = PasswordForm(request.POST if request.method == "POST" and "decline" not in request.POST else None)
    if request.method == "POST" and "decline" in request.POST:
        approvals.approval_decline(person, approval_id, now=clock.now())
        messages.info(request, _("Nothing was approved."))
        return HttpResponseRedirect("/")
    if request.method == "POST" and form.is_valid():
        try:
            approval = approvals.approval_confirm(person, approval_id, password=form.cleaned_data["password"], now=clock.now())
        except (ApprovalInvalid, TriesExhausted):
            approval = selectors.approval_get(person, approval_id)
        except HubError as error:
            add_refusal(form, error)
    if request.method == "POST" and approval.state == Approval.State.CONFIRMED and not form.errors:
        return _go_on(approval)
    return render(request, "accounts/approve.html", _approval_context(approval, form), status=422 if form.errors else 200)


def _go_on(approval: Approval) -> HttpResponse:
    if not approval.next_path:
        return redirect("approve", approval_id=approval.id)
    mark = "&" if "?" in approval.next_path else "?"
    return HttpResponseRedirect(f"{approval.next_path}{mark}{urlencode({'approval': str(approval.id)})}")


def _approval_context(approval: Approval, form: PasswordForm) -> dict[str, Any]:
    action = approvals.Action.parse(approval.action)
    expired = approval.has_expired(clock.now())
    state = "expired" if expired and approval.state in (Approval.State.PENDING, Approval.State.CONFIRMED) else approval.state
    return {
        "approval": approval,
        "title": approvals.kind_title(action.kind),
        "amount": action.amount,
        "payee": selectors.payee_get(action.payee) if action.payee else None,
        "details": approvals.details_of(action),
        "state": state,
        "form": form,
        "minutes": int(LIFETIME.total_seconds() // 60),
        "hub_name": settings.HUB_NAME,
    }
