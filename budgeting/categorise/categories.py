"""The hub's own set of categories: what people see, with an icon, and whether money in it counts as spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Category:
    """`spending`: payments in it count in budgets. The others are money that came in or only moved."""

    code: str
    name: str | Promise
    icon: str
    spending: bool = True


OTHER: Final = "other"
PEOPLE: Final = "people"
INCOME: Final = "income"
OWN: Final = "own"
FEES: Final = "fees"
SAVINGS: Final = "savings"

_ALL = (
    Category("groceries", _("Groceries"), "basket"),
    Category("eating_out", _("Eating out"), "cup"),
    Category("housing", _("Rent, energy and phone"), "home"),
    Category("home", _("Home and garden"), "sofa"),
    Category("transport", _("Transport"), "train"),
    Category("travel", _("Travel"), "globe"),
    Category("shopping", _("Shopping"), "bag"),
    Category("health", _("Health and care"), "heart"),
    Category("leisure", _("Leisure"), "ticket"),
    Category("subscriptions", _("Subscriptions"), "repeat"),
    Category("family", _("Children, school and pets"), "people"),
    Category("insurance", _("Insurance"), "shield"),
    Category("gifts", _("Gifts and giving"), "gift"),
    Category(FEES, _("Fees, taxes and interest"), "scale"),
    Category("cash", _("Cash"), "cash"),
    Category(PEOPLE, _("To people"), "person"),
    Category(OTHER, _("Everything else"), "dots"),
    Category(SAVINGS, _("Savings and investments"), "plan", spending=False),
    Category(INCOME, _("Money in"), "in", spending=False),
    Category(OWN, _("Between your own accounts"), "undo", spending=False),
)
CATEGORIES: Final[dict[str, Category]] = {category.code: category for category in _ALL}
SPENDING: Final[tuple[str, ...]] = tuple(category.code for category in _ALL if category.spending)


def category_of(code: str) -> Category:
    """The category, or "everything else" for a code of an older version."""
    return CATEGORIES.get(code, CATEGORIES[OTHER])
