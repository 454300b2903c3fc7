"""Where a statement's truth can be checked: the newest seal over the ledger, and how far it covers the statement."""

from __future__ import annotations

from wallets.seals import selectors as seals
from wallets.statements.selectors import Statement


def reference(statement: Statement) -> str:
    """
    "Seal 17, 5f0c...; last transfer 48213": the seal's number, the beginning of its chain value, and the newest transfer of
    the statement. Every line carries its transfer's id, for which its owner can download a proof. At most 80 characters.
    """
    last = f"last transfer {statement.last_transfer}" if statement.last_transfer else "no transfer"
    head = seals.head()
    if head is None:
        return f"Not sealed yet; {last}"
    return f"Seal {head.number}, {bytes(head.chain).hex()[:24]}; {last}"
