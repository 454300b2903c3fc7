"""API plumbing that every app's api.py uses."""

from core.api.fields import MoneyField, TimeOfDayField
from core.api.idempotent import idempotent, key_of
from core.api.parsing import parse
from core.api.problems import problem_response

__all__ = ["MoneyField", "TimeOfDayField", "idempotent", "key_of", "parse", "problem_response"]
