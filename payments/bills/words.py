"""A bill in words: how often, what became of a run, and what a person approves."""

from __future__ import annotations

from datetime import date

from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from accounts.approvals import Action
from core import formatting
from payments.bills.models import Bill, BillRun, RunState
from payments.errors import failure_text
from payments.models import BankAccount

LAST_DAY = 31
TONES = {RunState.PAID: "good", RunState.FAILED: "harm", RunState.RETRYING: "wait", RunState.UNDER_WAY: "wait"}
REASONS: dict[str, str | Promise] = {
    "insufficient_funds": gettext_lazy("There was not enough money in the account."),
    "limit_exceeded": gettext_lazy("It was above what you can move."),
    "rate_missing": gettext_lazy("There was no exchange rate to check it against your limits."),
    "amount_missing": gettext_lazy("Nobody had said how much."),
    "wallet_closed": gettext_lazy("The account it is paid from is closed."),
    "account_closed": gettext_lazy("The account it is paid from is closed."),
    "payee_closed": gettext_lazy("Who it goes to has closed their account."),
    "party_closed": gettext_lazy("Who it goes to has closed their account."),
    "bank_refused": gettext_lazy("The bank cannot carry it."),
    "skipped": gettext_lazy("You left it out."),
    "paused": gettext_lazy("The bill was paused."),
    "ended": gettext_lazy("The bill had ended."),
    "completed": gettext_lazy("Its last payment is made."),
    "expired": gettext_lazy("It was not approved in time."),
}


def reason(code: str) -> str | Promise:
    return REASONS.get(code) or failure_text(code)


def rhythm(every: str, interval: int, anchor: int, weekday: int) -> str:
    """ "Every month on day 5", "Every 2 weeks on Friday"; `weekday` is 0 for Monday."""
    often = _often(every, interval)
    if every == "week":
        return _("%(often)s on %(weekday)s") % {"often": often, "weekday": WEEKDAYS[weekday]}
    if anchor == LAST_DAY:
        return _("%(often)s on the last day of the month") % {"often": often}
    return _("%(often)s on day %(day)s of the month") % {"often": often, "day": _num(anchor)}


def _often(every: str, interval: int) -> str:
    # One is told apart here and not by a plural: languages with a single form would have to say "every 1 month".
    plain = {("week", 1): _("Every week"), ("month", 1): _("Every month"), ("month", 12): _("Every year")}.get((every, interval))
    if plain:
        return plain
    if every == "week":
        return ngettext("Every %(n)s week", "Every %(n)s weeks", interval) % {"n": _num(interval)}
    return ngettext("Every %(n)s month", "Every %(n)s months", interval) % {"n": _num(interval)}


def _num(value: int) -> str:
    return formatting.num(value, get_language() or "en")


def rhythm_of(bill: Bill) -> str:
    return rhythm(bill.every, bill.interval, bill.anchor, bill.first_on.weekday())


def tone(run: BillRun) -> str:
    return TONES.get(RunState(run.state), "")


def approval_details(action: Action) -> list[tuple[str | Promise, str]]:
    """Lines of the approval page that the amount and a payee of the hub do not say."""
    lines: list[tuple[str | Promise, str]] = []
    to_bank = action.extra.get("bank_account")
    account = BankAccount.objects.filter(id=str(to_bank)).first() if to_bank else None
    if account is not None:
        lines += [(gettext_lazy("To"), account.name), (gettext_lazy("IBAN"), account.iban_grouped)]
    if action.extra.get("every"):
        interval, every, anchor = str(action.extra["every"]).split(" ")
        first = date.fromisoformat(str(action.extra["first_on"]))
        lines.append((gettext_lazy("How often"), rhythm(every, int(interval), int(anchor), first.weekday())))
        if action.extra.get("amount_kind") == "up_to":
            lines.append((gettext_lazy("Each time"), _("A different amount, at most the amount above")))
    return lines
