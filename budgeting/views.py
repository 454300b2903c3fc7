"""Pages of planning: the month, its budgets, a category, what a payment was for, and rules."""

from __future__ import annotations

from datetime import date
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Person
from accounts.requests import person_of
from budgeting import selectors, services
from budgeting.categorise import CATEGORIES
from budgeting.forms import BudgetsForm, FilingForm
from budgeting.selectors import MonthView
from core import charts, clock, formatting
from core.api.paging import CursorInvalid
from core.errors import HubError
from core.forms import add_refusal

PAGE_SIZE = 30


@require_safe
@login_required
def plan(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    keeper, now = selectors.keeper_is(person), clock.now()
    today = selectors.today_of(now, keeper)
    month = _month(request, today)
    view = selectors.month_view(person.party_id, keeper, month=month, today=today)
    is_now = month == today.replace(day=1)
    context = {
        "view": view,
        "per_day": view.left_per_day(view.left),
        "budgeted": [(row, view.left_per_day(row.left)) for row in view.budgeted],
        "before": selectors.month_before(month),
        "after": None if is_now else selectors.month_after(month),
        "is_now": is_now,
        "safe": selectors.safe_to_spend(person.party_id, keeper, now=now) if is_now else None,
        "chart": _chart(person, view),
    }
    return render(request, "budgeting/plan.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def budgets(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    keeper, now = selectors.keeper_is(person), clock.now()
    month = selectors.month_of(now, keeper)
    last = selectors.month_view(person.party_id, keeper, month=selectors.month_before(month), today=selectors.today_of(now, keeper))
    this = selectors.month_view(person.party_id, keeper, month=month, today=selectors.today_of(now, keeper))
    form = BudgetsForm(
        request.POST if request.method == "POST" else None,
        currency=keeper.currency,
        held={row.category.code: row.budget for row in this.rows if row.budget},
        hints=_hints(person, last),
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.budgets_set(party_id=person.party_id, amounts=form.cleaned_data["amounts"], now=now)
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Your budgets are saved."))
            return redirect("plan")
    context = {"form": form, "currency": keeper.currency, "month": month}
    return render(request, "budgeting/budgets.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
def category(request: HttpRequest, code: str) -> HttpResponse:
    if code not in CATEGORIES:
        raise Http404
    person = person_of(request)
    keeper = selectors.keeper_is(person)
    today = selectors.today_of(clock.now(), keeper)
    month = _month(request, today)
    view = selectors.month_view(person.party_id, keeper, month=month, today=today)
    row = next((row for row in view.rows if row.category.code == code), None)
    listed = partial(selectors.feed_for, person.party_id, category=code, since=month, before=selectors.month_after(month), limit=PAGE_SIZE)
    try:
        page = listed(cursor=request.GET.get("after", ""))
    except CursorInvalid:
        page = listed()
    context = {
        "category": CATEGORIES[code],
        "row": row,
        "per_day": view.left_per_day(row.left) if row else None,
        "view": view,
        "page": page,
        "before": selectors.month_before(month),
        "after": None if month == today.replace(day=1) else selectors.month_after(month),
    }
    return render(request, "budgeting/category.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    person = person_of(request)
    view = selectors.item_view(person.party_id, item_id)
    form = FilingForm(
        request.POST if request.method == "POST" else None,
        initial={"category": view.item.category},
        always_label=_always_label(view) if view.can_rule else "",
    )
    if request.method == "POST" and form.is_valid():
        try:
            filed = services.item_file(
                party_id=person.party_id,
                item_id=item_id,
                category=form.cleaned_data["category"],
                always=bool(form.cleaned_data.get("always")),
                now=clock.now(),
            )
        except HubError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Filed under %(category)s.") % {"category": filed.filed.name})
            return redirect("plan_item", item_id)
    return render(request, "budgeting/item.html", {"view": view, "form": form}, status=422 if form.errors else 200)


@require_safe
@login_required
def payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """From a payment to what it is in the feed."""
    found = selectors.item_of_payment(person_of(request).party_id, payment_id)
    if found is None:
        messages.info(request, _("This payment is not in your feed yet. Try again in a moment."))
        return redirect("payment", payment_id)
    return redirect("plan_item", found.id)


@require_safe
@login_required
def rules(request: HttpRequest) -> HttpResponse:
    return render(request, "budgeting/rules.html", {"rules": selectors.rules_for(person_of(request).party_id)})


@require_POST
@login_required
def rule_forget(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    services.rule_forget(party_id=person_of(request).party_id, rule_id=rule_id)
    messages.success(request, _("The rule is gone. Its payments are filed as we would file them."))
    return redirect("plan_rules")


def _month(request: HttpRequest, today: date) -> date:
    """The month in the address; anything else, and what has not begun, is this month."""
    text = request.GET.get("month", "")
    try:
        wanted = date.fromisoformat(f"{text}-01") if len(text) == 7 else today
    except ValueError:
        wanted = today
    return min(max(wanted, date(1970, 1, 1)), today).replace(day=1)


def _chart(person: Person, view: MonthView) -> charts.BarChart | None:
    # Bars tell as much as figures, so hidden amounts have none.
    if person.hide_amounts:
        return None
    parts = [
        (
            str(row.category.name),
            row.spent,
            f"{reverse('plan_category', args=[row.category.code])}?month={view.month:%Y-%m}",
            row.category.icon,
        )
        for row in view.rows
        if row.spent.amount > 0
    ]
    if not parts:
        return None
    return charts.bar_chart(
        parts, language=get_language() or "en", name=_("Spending by category"), label_name=_("Category"), value_name=_("Spent")
    )


def _hints(person: Person, last: MonthView) -> dict[str, str]:
    """What was spent last month, beside each field."""
    if person.hide_amounts:
        return {}
    language = get_language() or "en"
    return {
        row.category.code: _("Last month: %(amount)s") % {"amount": formatting.isolated(formatting.money(row.spent, language), language)}
        for row in last.rows
        if row.spent.amount > 0
    }


def _always_label(view: selectors.ItemView) -> str:
    if view.item.amount_minor > 0:
        return _("Always do this with payments from %(name)s") % {"name": view.title}
    return _("Always do this with payments to %(name)s") % {"name": view.title}
