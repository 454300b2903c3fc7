"""What people and the clock do with bills."""

from payments.bills.services.amounts import bill_amount_set
from payments.bills.services.batches import bill_runs
from payments.bills.services.changes import bill_change, bill_change_drop, bill_change_preview
from payments.bills.services.lifecycle import bill_end, bill_expire, bill_pause, bill_resume, bill_skip_next, bills_end_all
from payments.bills.services.mandates import bill_approval_request, bill_approve, bill_create, bill_preview
from payments.bills.services.runs import bill_run, payment_followed
from payments.bills.services.terms import BillPreview, Terms, To, payee_words, terms_of

__all__ = [
    "BillPreview",
    "Terms",
    "To",
    "bill_amount_set",
    "bill_approval_request",
    "bill_approve",
    "bill_change",
    "bill_change_drop",
    "bill_change_preview",
    "bill_create",
    "bill_end",
    "bill_expire",
    "bill_pause",
    "bill_preview",
    "bill_resume",
    "bill_run",
    "bill_runs",
    "bill_skip_next",
    "bills_end_all",
    "payee_words",
    "payment_followed",
    "terms_of",
]
