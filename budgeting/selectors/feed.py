"""Reading the feed, always for one party."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import selectors as accounts
from budgeting.categorise import Why
from budgeting.models import FeedItem, Kind, Rule
from core import crypto
from core.api.paging import older_than, place_pack, place_unpack
from core.errors import NotFound

Items: TypeAlias = QuerySet[FeedItem]
Ids: TypeAlias = Iterable[UUID]

PAGE_MAX = 100
WHY_TEXTS: dict[str, str | Promise] = {
    Why.CHOSEN: gettext_lazy("You chose it for this payment."),
    Why.RULE: gettext_lazy("Your rule."),
    Why.BRAND: gettext_lazy("We know the name."),
    Why.CODE: gettext_lazy("The kind of shop, as the card network knows it."),
    Why.BANK: gettext_lazy("What the bank calls it."),
    Why.WORD: gettext_lazy("A word in the name."),
    Why.NOTE: gettext_lazy("A word in the note."),
    Why.UNDONE: gettext_lazy("It gives back a payment of this category."),
    Why.TRANSFER: gettext_lazy("The kind of payment; nothing else tells what it was for."),
    Why.NONE: gettext_lazy("Nothing tells what it was for."),
}


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item with the name of the other side."""

    item: FeedItem
    name: str

    @property
    def title(self) -> str:
        if self.item.kind == Kind.TOP_UP:
            return _("Top-up by card")
        if self.item.kind == Kind.REFUND:
            return _("Refund to card")
        return self.name or self.item.merchant or self.item.counterparty or _("Closed account")

    @property
    def why_text(self) -> str | Promise:
        return WHY_TEXTS.get(self.item.why, "")

    @property
    def kind_label(self) -> str | Promise:
        return Kind(self.item.kind).label

    @property
    def can_rule(self) -> bool:
        return bool(self.item.key)


@dataclass(frozen=True, slots=True)
class FeedPage:
    rows: list[ItemView]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class RuleView:
    rule: Rule
    name: str
    incoming: bool


def feed_for(
    party_id: UUID, *, category: str = "", since: date | None = None, before: date | None = None, cursor: str = "", limit: int = 30
) -> FeedPage:
    """
    The party's items, newest first; `since` up to, and not including, `before` are days of the keeper of its books.

    :raises CursorInvalid: not a cursor of this list.
    """
    limit = max(1, min(limit, PAGE_MAX))
    found = FeedItem.objects.filter(party_id=party_id)
    if category:
        found = found.filter(category=category)
    # Moments bound the stretch of the index that is read; no zone is a whole day and a half from UTC.
    if since:
        found = found.filter(on_date__gte=since, at__gte=_noon(since, -2))
    if before:
        found = found.filter(on_date__lt=before, at__lt=_noon(before, 1))
    if cursor:
        found = older_than(found, place_unpack(cursor), at="at")
    rows = list(found.order_by("-at", "-id")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return FeedPage(views_of(party_id, rows), place_pack(rows[-1].at, rows[-1].id) if more else "")


def item_get(party_id: UUID, item_id: UUID) -> FeedItem:
    """:raises NotFound: not there, or somebody else's."""
    found = FeedItem.objects.filter(party_id=party_id, id=item_id).first()
    if found is None:
        raise NotFound()
    return found


def item_view(party_id: UUID, item_id: UUID) -> ItemView:
    """:raises NotFound: not there, or somebody else's."""
    return views_of(party_id, [item_get(party_id, item_id)])[0]


def item_of_payment(party_id: UUID, payment_id: UUID) -> FeedItem | None:
    """What a payment is in the party's feed; None when it moved nothing of theirs, or the news has not arrived yet."""
    return FeedItem.objects.filter(party_id=party_id, payment_id=payment_id).first()


def views_of(party_id: UUID, items: Sequence[FeedItem]) -> list[ItemView]:
    """Items with the names of hub parties as they are now: two queries however many items."""
    names = accounts.party_display_names({item.other_party_id for item in items if item.other_party_id})
    crypto.data_keys_warm({party_id})
    return [ItemView(item, names.get(item.other_party_id, "") if item.other_party_id else "") for item in items]


def rules_for(party_id: UUID) -> list[RuleView]:
    """The party's rules, newest first."""
    rules = list(Rule.objects.filter(party_id=party_id).order_by("-created_at", "-id")[:500])
    names = accounts.party_display_names({rule.other_party_id for rule in rules if rule.other_party_id})
    return [
        RuleView(
            rule,
            (names.get(rule.other_party_id, "") if rule.other_party_id else rule.merchant) or _("Closed account"),
            rule.key.startswith("in "),
        )
        for rule in rules
    ]


def _noon(day: date, days: int) -> datetime:
    """Noon in UTC of a day so many days away, as far as the calendar goes."""
    try:
        return datetime.combine(day + timedelta(days=days), time(12), tzinfo=UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if days < 0 else datetime.max.replace(tzinfo=UTC)
