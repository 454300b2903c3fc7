"""Pages of notices: the list, the count in the shell, and what a person chooses."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import quote_etag
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import condition, require_http_methods, require_POST, require_safe

from accounts.requests import person_of
from core import clock, formatting
from engagement.notifications import selectors, services
from engagement.notifications.forms import PreferencesForm
from engagement.notifications.topics import Channel
from engagement.notifications.words import views_of

PAGE_SIZE = 30


@require_safe
@login_required
def notices(request: HttpRequest) -> HttpResponse:
    unread = request.GET.get("show") == "unread"
    page = selectors.notices_for(person_of(request), cursor=request.GET.get("after", ""), limit=PAGE_SIZE, unread=unread)
    return render(request, "engagement/notices.html", {"page": page, "unread_only": unread})


def _bell_etag(request: HttpRequest) -> str:
    return quote_etag(f"{get_language()}-{request.notices_unread}")  # type: ignore[attr-defined]


@require_safe
@login_required
def bell(request: HttpRequest) -> HttpResponse:
    """The count in the shell, asked for again now and then: one index look-up, and no body while nothing has changed."""
    request.notices_unread = selectors.unread_count(person_of(request))  # type: ignore[attr-defined]
    response = _bell(request)
    # A browser may keep it, and asks each time whether it still holds; nobody between us keeps it.
    response["Cache-Control"] = "private, no-cache"
    return response


@condition(etag_func=_bell_etag)
def _bell(request: HttpRequest) -> HttpResponse:
    return render(request, "engagement/bell.html", {"unread": request.notices_unread})  # type: ignore[attr-defined]


@require_safe
@login_required
def notice_open(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Following a notice marks it as read, as opening a letter does."""
    notice = services.notice_read(person=person_of(request), notice_id=notice_id, now=clock.now())
    [view] = views_of(person_of(request), [notice])
    return redirect(view.words.href or "notices")


@require_POST
@login_required
def notice_read(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    services.notice_read(person=person_of(request), notice_id=notice_id, now=clock.now())
    return redirect("notices")


@require_POST
@login_required
def notices_read_all(request: HttpRequest) -> HttpResponse:
    count = services.notices_read_all(person=person_of(request), now=clock.now())
    if count:
        shown = formatting.num(count, get_language() or "en")
        messages.success(request, ngettext("%(n)s notice is marked as read.", "%(n)s notices are marked as read.", count) % {"n": shown})
    return redirect("notices")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = PreferencesForm(request.POST if request.method == "POST" else None, current=selectors.preferences_for(person))
    if form.is_valid():
        services.preferences_save(person=person, wanted=form.wanted, now=clock.now())
        messages.success(request, _("Your choices are saved."))
        return redirect("notice_preferences")
    return render(request, "engagement/preferences.html", {"form": form, "channels": list(Channel)})
