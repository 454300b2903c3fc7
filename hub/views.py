"""Pages that belong to no single app: front page, home, the hubs of the bar, help, errors, the styleguide."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Person
from accounts.requests import person_of
from accounts.services import person_update
from core import charts, clock
from core.money import Money
from hub import selectors
from hub.forms import ExampleForm

COLOURS = (
    "paper",
    "surface",
    "surface-2",
    "line",
    "ink",
    "ink-2",
    "brand",
    "brand-soft",
    "deep",
    "accent",
    "good",
    "wait",
    "harm",
    "focus",
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, Person):
        return render(
            request, "hub/home.html", {"home": selectors.home_for(request.user, now=clock.now(), language=get_language() or "en")}
        )
    example = Money(2000, "EUR")
    return render(request, "hub/front.html", {"example": example, "example_out": -example, "example_sum": Money(0, "EUR")})


@require_POST
@login_required
def hide_amounts(request: HttpRequest) -> HttpResponse:
    """The eye: hides or shows all amounts, and goes back to the page it stood on."""
    person = person_of(request)
    person_update(person=person, hide_amounts=not person.hide_amounts, now=clock.now())
    back = request.POST.get("next", "")
    return redirect(back if back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "home")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The choice of language under every page for everybody: kept by the browser, and in the profile of who is signed in."""
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        return bad_request(request)
    if isinstance(request.user, Person):
        person_update(person=request.user, language=code, now=clock.now())
    back = request.POST.get("next", "")
    answer = redirect(back if back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "home")
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return answer


@require_safe
@login_required
def wallet(request: HttpRequest, wallet_id: UUID) -> HttpResponse:
    before = request.GET.get("before", "")
    before_seq = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    page = selectors.wallet_page(person_of(request), wallet_id, before_seq=before_seq)
    return render(request, "wallets/wallet.html", {"wallet": page.wallet, "balance": page.balance, "page": page})


@require_safe
@login_required
def more(request: HttpRequest) -> HttpResponse:
    return render(request, "hub/more.html")


@require_safe
@login_required
def limits(request: HttpRequest) -> HttpResponse:
    return render(request, "hub/limits.html", {"page": selectors.limits_page(person_of(request), now=clock.now())})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "hub/help.html", {"base": "base.html" if request.user.is_authenticated else "base_public.html"})


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    if settings.PRODUCTION and not getattr(request.user, "is_staff", False):
        raise Http404
    today = clock.now().date()
    # A made-up curve in the only place where nothing has to be true.
    amounts = [120_00, 120_00, 95_50, 95_50, 210_00, 204_20, 180_00, 180_00, 162_35, 148_00, 320_00, 311_10, 290_00, 290_00, 274_80]
    series = [(today - timedelta(days=len(amounts) - 1 - index), Money(amount, "EUR")) for index, amount in enumerate(amounts)]
    language = get_language() or "en"
    form = ExampleForm(data={"amount": "12,345", "payee": "asa"})
    return render(
        request,
        "hub/styleguide.html",
        {
            "chart": charts.line_chart(series, language=language, name=_("Balance over 15 days"), value_name=_("Balance")),
            "bars": charts.bar_chart(
                [(_("Groceries"), Money(310_00, "EUR"), "", "basket"), (_("Transport"), Money(82_50, "EUR"), "#chart", "train")],
                language=language,
                name=_("Spending by category"),
                label_name=_("Category"),
                value_name=_("Spent"),
            ),
            "form": ExampleForm(),
            "bad_form": form,
            "amount": Money(123_450, "EUR"),
            "negative": Money(-2_000, "EUR"),
            "yen": Money(123_450, "JPY"),
            "dinar": Money(1_234_500, "KWD"),
            "moment": clock.now(),
            "colours": COLOURS,
        },
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: its person and session come from the database, which may be what is broken."""
    page = render_to_string(
        "500.html",
        {"theme": "system", "hub_name": settings.HUB_NAME, "LANGUAGE_CODE": get_language() or "en", "LANGUAGE_BIDI": get_language_bidi()},
    )
    return HttpResponseServerError(page)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
