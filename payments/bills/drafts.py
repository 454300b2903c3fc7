"""What somebody has typed so far on the pages of a new bill."""

from __future__ import annotations

from dataclasses import dataclass, field

from payments.drafts import Draft, Drafts


@dataclass(kw_only=True)
class BillDraft(Draft):
    """`terms` is the form of the terms as it was posted; `bill` is the id of the one that is changed."""

    payee: str = ""
    iban: str = ""
    holder: str = ""
    bill: str = ""
    terms: dict[str, str] = field(default_factory=dict)


BILLS = Drafts(BillDraft, "bill_drafts", kept=3)
