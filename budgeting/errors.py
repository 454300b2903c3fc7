"""Refusals of budgeting that people and partners see."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import InputInvalid


class CategoryUnknown(InputInvalid):
    """Not one of the hub's categories."""

    code = "category_unknown"
    default_field = "category"
    default_message = _("We do not know this category.")


class CategoryNotBudgeted(InputInvalid):
    """Money that comes in or only moves has no budget."""

    code = "category_not_budgeted"
    default_field = "category"
    default_message = _("This category cannot have a budget.")


class RuleImpossible(InputInvalid):
    """The item has no merchant or person that later items could be known by."""

    code = "rule_impossible"
    default_field = "always"
    default_message = _("There is no name in this payment that later ones could be known by.")
