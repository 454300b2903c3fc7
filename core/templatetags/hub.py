"""
The tag family of all pages: {% money %}, {% num %}, {% day %}, {% moment %} write values; {% icon %} draws.

All of them read the language in force and, for moments, the time zone in force (both set from the person by the
middleware). `{% money %}` hides amounts on the server when the person asked for it.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect, Select, Textarea
from django.forms.widgets import CheckboxSelectMultiple, FileInput, Input
from django.http import HttpRequest
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core import clock, formatting
from core.icons import FLIPPED, ICONS
from core.money import Money

register = template.Library()


def _language() -> str:
    return get_language() or "en"


def _hidden(context: Context) -> bool:
    person = getattr(context.get("request"), "user", None)
    return bool(getattr(person, "hide_amounts", False))


@register.simple_tag(takes_context=True)
def money(
    context: Context,
    value: Money | int | None,
    currency: str = "",
    *,
    sign: bool = False,
    tone: bool = False,
    always: bool = False,
    figure: str = "",
) -> SafeString:
    """
    {% money total %}, {% money row.amount_minor row.currency %}.

    sign: a plus in front of more than zero. tone: money coming in is coloured. always: shown although the person
    hides amounts (where they are about to agree to it). figure: "large" or "medium" for the figure of a page.
    """
    if not isinstance(value, (Money, int)):  # a missing variable is ""
        return SafeString("")
    if isinstance(value, int):
        value = Money(value, currency)
    classes = "money"
    if figure:
        classes += " figure" if figure == "large" else f" figure {figure}"
    if _hidden(context) and not always:
        return format_html(
            '<span class="{} hidden-amount"><span aria-hidden="true">{}</span><span class="visually-hidden">{}</span></span>',
            classes,
            formatting.HIDDEN,
            _("amount hidden"),
        )
    if tone and value.amount > 0:
        classes += " in"
    return format_html(
        '<bdi class="{}">{}</bdi>',
        classes,
        formatting.money(value, _language(), sign=sign),
    )


@register.simple_tag(takes_context=True)
def money_text(context: Context, value: Money, *, always: bool = False) -> str:
    """The amount without any element, for attributes and sentences that are translated as a whole."""
    return formatting.HIDDEN if _hidden(context) and not always else formatting.isolated(formatting.money(value, _language()), _language())


@register.simple_tag
def num(value: int | Decimal | None) -> str:
    return "" if value is None else formatting.num(value, _language())


@register.simple_tag
def percent(value: Decimal) -> str:
    return formatting.percent(value, _language())


@register.simple_tag
def day(value: date | datetime | None, form: str = "long") -> SafeString:
    """{% day payment.created_at "short" %}; forms as in core.formatting.day, and "near" (Today, Yesterday, weekday)."""
    if value is None:
        return SafeString("")
    zone = timezone.get_current_timezone_name()
    local = timezone.localtime(value).date() if isinstance(value, datetime) else value
    text = formatting.day_near(local, _language(), today=clock.today(zone)) if form == "near" else formatting.day(local, _language(), form)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), text)


@register.simple_tag
def moment(value: datetime | None, form: str = "full") -> SafeString:
    """{% moment payment.created_at %}: day and time of day in the person's zone; form "time" leaves the day out."""
    if value is None:
        return SafeString("")
    zone = timezone.get_current_timezone_name()
    write = formatting.clock_time if form == "time" else formatting.moment
    return format_html(
        '<time datetime="{}">{}</time>',
        value.isoformat(timespec="seconds"),
        write(value, _language(), zone=zone),
    )


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """{% icon "send" %}: decoration, hidden from screen readers unless it has a label."""
    classes = "icon flip" if name in FLIPPED else "icon"
    path = format_html('<path d="{}"/>', ICONS[name])
    if label:
        return format_html(
            '<svg class="{}" viewBox="0 0 24 24" role="img" aria-label="{}">{}</svg>',
            classes,
            label,
            path,
        )
    return format_html('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', classes, path)


@register.filter
def initials(name: str) -> str:
    """The letters of an avatar: of the first and the last word of a name, one where there is only one."""
    words = [word for word in str(name).replace("@", " ").split() if word[:1].isalnum()]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")) if words else "·"


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """The address of this page with some of its parameters changed; an empty value removes one."""
    request: HttpRequest = context["request"]
    params = request.GET.copy()
    for name, value in changes.items():
        if value in ("", None):
            params.pop(name, None)
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else request.path


def kind_of(field: BoundField) -> str:
    widget = field.field.widget
    if isinstance(widget, CheckboxSelectMultiple):
        return "checks"
    if isinstance(widget, RadioSelect):
        return "radios"
    if isinstance(widget, CheckboxInput):
        return "checkbox"
    if isinstance(widget, Select):
        return "select"
    if isinstance(widget, Textarea):
        return "textarea"
    if isinstance(widget, FileInput):
        return "file"
    return widget.input_type if isinstance(widget, Input) and widget.input_type else "text"


@register.filter
def field_kind(field: BoundField) -> str:
    """Which of the field component's shapes a form field takes."""
    return kind_of(field)


@register.simple_tag
def field_input(field: BoundField, extra_class: str = "") -> SafeString:
    """The widget of a form field with our class, tied to its hint and its error."""
    kind = kind_of(field)
    attrs: dict[str, str | bool] = {}
    if kind not in ("checkbox", "radios", "checks"):
        attrs["class"] = f"{field.field.widget.attrs.get('class', '')} input {extra_class}".strip()
    described = [f"{field.id_for_label}-hint"] if field.help_text else []
    described += [f"{field.id_for_label}-error"] if field.errors else []
    # Django would point at ids of its own templates' hints.
    attrs["aria-describedby"] = " ".join(described)
    if not described:
        attrs.pop("aria-describedby")
        attrs["aria-describedby"] = False
    if field.errors:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs=attrs)


@register.filter
def first_id(field: BoundField) -> str:
    """Where a link of the error summary goes: the first input of a group, else the input."""
    if kind_of(field) in ("radios", "checks"):
        return f"{field.auto_id}_0"
    return field.id_for_label


@register.filter
def digits(value: object) -> str:
    """Latin digits turned into the reader's own: of counts inside sentences, times of day, levels."""
    return formatting.digits(str(value), _language())


@register.filter
def currency_name(code: str) -> str:
    """Swedish Krona in the reader's language."""
    return formatting.currency_name(code, _language())
