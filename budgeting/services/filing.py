"""Filing items under categories by hand, and the rules a person makes of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from budgeting import selectors
from budgeting.categorise import CATEGORIES, Why
from budgeting.errors import CategoryUnknown, RuleImpossible
from budgeting.models import FeedItem, Rule
from budgeting.services.feed import undone_follow
from core import crypto
from core.errors import NotFound


@transaction.atomic
def item_file(*, party_id: UUID, item_id: UUID, category: str, always: bool = False, now: datetime) -> FeedItem:
    """
    File an item under a category, and with `always` everything of its merchant or person, past and to come. Items that
    were chosen one by one stay as they were chosen.

    :raises NotFound: not there, or somebody else's.
    :raises CategoryUnknown: not one of the hub's categories.
    :raises RuleImpossible: `always`, and nothing that later items could be known by.
    """
    _category_check(category)
    item = FeedItem.objects.select_for_update().filter(party_id=party_id, id=item_id).first()
    if item is None:
        raise NotFound()
    if always:
        _always(item, category, now)
    else:
        FeedItem.objects.filter(id=item.id).update(category=category, why=Why.CHOSEN)
        undone_follow(party_id, [item.payment_id], category)
    return selectors.item_get(party_id, item_id)


@transaction.atomic
def rule_forget(*, party_id: UUID, rule_id: UUID) -> int:
    """
    Take a rule away; its items go back to what the hub thinks of them. Returns how many.

    :raises NotFound: not there, or somebody else's.
    """
    rule = Rule.objects.select_for_update().filter(party_id=party_id, id=rule_id).first()
    if rule is None:
        raise NotFound()
    items = _items_of(rule).filter(why=Why.RULE)
    back: dict[tuple[str, str], list[FeedItem]] = {}
    for item in items.only("id", "payment_id", "guess", "guess_why"):
        back.setdefault((item.guess, item.guess_why), []).append(item)
    for (category, why), group in back.items():
        FeedItem.objects.filter(id__in=[item.id for item in group]).update(category=category, why=why)
        undone_follow(party_id, [item.payment_id for item in group], category)
    rule.delete()
    return sum(len(group) for group in back.values())


def _always(item: FeedItem, category: str, now: datetime) -> None:
    if not item.key:
        raise RuleImpossible()
    rule = Rule.objects.filter(party_id=item.party_id, key_index=crypto.blind_index("budgeting.rule.key", item.key)).first()
    rule = rule or Rule(party_id=item.party_id, key=item.key, merchant=item.merchant, other_party_id=item.other_party_id)
    rule.category, rule.created_at = category, now
    rule.save()
    FeedItem.objects.filter(id=item.id).update(category=category, why=Why.RULE)
    _items_of(rule).exclude(why=Why.CHOSEN).update(category=category, why=Why.RULE)
    undone_follow(item.party_id, _items_of(rule).filter(why=Why.RULE).values_list("payment_id", flat=True), category)


def _items_of(rule: Rule) -> selectors.Items:
    return FeedItem.objects.filter(party_id=rule.party_id, key_index=crypto.blind_index("budgeting.feeditem.key", rule.key))


def _category_check(category: str) -> None:
    if category not in CATEGORIES:
        raise CategoryUnknown()
