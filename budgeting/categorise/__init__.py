"""Cleaning of descriptions and choosing of categories: pure functions without database."""

from budgeting.categorise.categories import CATEGORIES, FEES, INCOME, OTHER, OWN, PEOPLE, SAVINGS, SPENDING, Category, category_of
from budgeting.categorise.cleaning import Cleaned, clean, fold, words_of
from budgeting.categorise.engine import Guess, Why, categorise, category_of_note, rule_for

__all__ = [
    "CATEGORIES",
    "FEES",
    "INCOME",
    "OTHER",
    "OWN",
    "PEOPLE",
    "SAVINGS",
    "SPENDING",
    "Category",
    "Cleaned",
    "Guess",
    "Why",
    "categorise",
    "category_of",
    "category_of_note",
    "clean",
    "fold",
    "rule_for",
    "words_of",
]
