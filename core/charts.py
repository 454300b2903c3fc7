"""
Charts as numbers for templates: coordinates, labels, a table's rows and one sentence. The drawing is a cotton component.

The drawing stretches to its box (preserveAspectRatio="none"), so text is never part of it: the three marks of the
value axis and the labels of the days stand beside it in HTML, evenly spaced, and stay readable at 320 px.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from django.utils.translation import gettext as _

from core import formatting
from core.money import Money

WIDTH = 1000
HEIGHT = 300
# Room above and below, so that a round line end is not cut.
_NICE = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class LineChart:
    name: str
    value_name: str
    summary: str
    points: list[Point]
    axis: list[str]  # from top to bottom
    days: list[str]  # first, middle, last
    line: str
    area: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def last(self) -> Point:
        return self.points[-1]

    @property
    def last_index(self) -> int:
        return len(self.points) - 1


@dataclass(frozen=True, slots=True)
class Bar:
    """`width` is of WIDTH; `share` the part of the whole in words ("34%"); `href` where its parts are listed."""

    label: str
    value: str
    share: str
    width: int
    href: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class BarChart:
    name: str
    label_name: str
    value_name: str
    summary: str
    bars: list[Bar]
    width: int = WIDTH


def bar_chart(parts: Sequence[tuple[str, Money, str, str]], *, language: str, name: str, label_name: str, value_name: str) -> BarChart:
    """
    Parts of a whole as lying bars: (label, amount, address, icon), all amounts in one currency; what is zero or less is left out.

    :raises ValueError: nothing is left.
    """
    shown = sorted((part for part in parts if part[1].amount > 0), key=lambda part: (-part[1].amount, part[0]))
    if not shown:
        raise ValueError("a chart needs a part above zero")
    total, most = sum(part[1].amount for part in shown), shown[0][1].amount
    bars = [
        Bar(
            label=label,
            value=formatting.money(amount, language),
            share=formatting.percent((Decimal(amount.amount) / total).quantize(Decimal("0.01")), language),
            # Never so thin that it cannot be seen.
            width=max(WIDTH * amount.amount // most, 8),
            href=href,
            icon=icon,
        )
        for label, amount, href, icon in shown
    ]
    said = {
        "label": formatting.isolated(bars[0].label, language),
        "value": formatting.isolated(bars[0].value, language),
        "share": bars[0].share,
        "total": formatting.isolated(formatting.money(Money(total, shown[0][1].currency), language), language),
    }
    summary = _("%(label)s is the largest part: %(value)s of %(total)s, %(share)s.") % said
    return BarChart(name=name, label_name=label_name, value_name=value_name, summary=summary, bars=bars)


def _axis(low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
    """The lowest mark and the step, so that three marks at equal steps hold all values; zero is one where it is near."""
    if low >= 0 and low < high * Decimal("0.7"):
        low = Decimal(0)
    spread = (high - low) or abs(high) or Decimal(1)
    magnitude = Decimal(1).scaleb((spread / 2).adjusted())
    for nice in (*_NICE, *(nice * 10 for nice in _NICE)):
        step = nice * magnitude
        base = (low / step).to_integral_value(rounding=ROUND_FLOOR) * step
        if base + 2 * step >= high:
            return base, step
    raise AssertionError("unreachable: ten times the spread always fits")


def _steps(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{point.x} {point.y}" for point in points)


def line_chart(series: Sequence[tuple[date, Money]], *, language: str, name: str, value_name: str) -> LineChart:
    """
    A line over days, oldest first; all amounts in one currency.

    :raises ValueError: fewer than two days.
    """
    if len(series) < 2:
        raise ValueError("a line needs two days")
    values = [money.decimal for _day, money in series]
    base, step = _axis(min(values), max(values))
    span = 2 * step
    points = [
        Point(
            x=round(WIDTH * index / (len(series) - 1)),
            y=int(((base + span - money.decimal) / span * HEIGHT).to_integral_value(rounding=ROUND_CEILING)),
            label=formatting.day(on, language, "medium"),
            value=formatting.money(money, language),
        )
        for index, (on, money) in enumerate(series)
    ]
    line = _steps(points)
    currency = series[0][1].currency
    middle = series[(len(series) - 1) // 2][0]
    return LineChart(
        name=name,
        value_name=value_name,
        summary=_summary(series, language),
        points=points,
        axis=[formatting.money_axis(base + step * mark, currency, language) for mark in (2, 1, 0)],
        days=[formatting.day(on, language, "short") for on in (series[0][0], middle, series[-1][0])],
        line=line,
        area=f"{line}V{HEIGHT}H0Z",
    )


def _summary(series: Sequence[tuple[date, Money]], language: str) -> str:
    first, last = series[0][1], series[-1][1]
    change = last - first
    said = {
        "since": formatting.day(series[0][0], language),
        "change": formatting.isolated(formatting.money(Money(abs(change.amount), change.currency), language), language),
        "first": formatting.isolated(formatting.money(first, language), language),
        "last": formatting.isolated(formatting.money(last, language), language),
    }
    if change.amount > 0:
        return _("Up %(change)s since %(since)s, from %(first)s to %(last)s.") % said
    if change.amount < 0:
        return _("Down %(change)s since %(since)s, from %(first)s to %(last)s.") % said
    return _("The same as on %(since)s: %(last)s.") % said
