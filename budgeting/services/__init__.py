"""What changes the feed, its rules and budgets."""

from budgeting.services.budgets import budgets_set
from budgeting.services.feed import feed_follow, feed_of_party_again, feed_rebuild
from budgeting.services.filing import item_file, rule_forget

__all__ = ["budgets_set", "feed_follow", "feed_of_party_again", "feed_rebuild", "item_file", "rule_forget"]
