"""Reads of the feed, of months and budgets, and of what is safe to spend. Always of one party."""

from budgeting.selectors.bills import BillDue, bills_due
from budgeting.selectors.budgets import CategoryMonth, MonthView, budgets_held, month_view, per_day
from budgeting.selectors.feed import (
    FeedPage,
    Ids,
    Items,
    ItemView,
    RuleView,
    feed_for,
    item_get,
    item_of_payment,
    item_view,
    rules_for,
    views_of,
)
from budgeting.selectors.keepers import Keeper, keeper_is, keeper_of, month_after, month_before, month_of, today_of
from budgeting.selectors.safe import BillLine, SafeToSpend, safe_to_spend

__all__ = [
    "BillDue",
    "BillLine",
    "CategoryMonth",
    "FeedPage",
    "Ids",
    "ItemView",
    "Items",
    "Keeper",
    "MonthView",
    "RuleView",
    "SafeToSpend",
    "bills_due",
    "budgets_held",
    "feed_for",
    "item_get",
    "item_of_payment",
    "item_view",
    "keeper_is",
    "keeper_of",
    "month_after",
    "month_before",
    "month_of",
    "month_view",
    "per_day",
    "rules_for",
    "safe_to_spend",
    "today_of",
    "views_of",
]
