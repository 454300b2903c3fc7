"""
The ledger, as Python sees it: one database call per operation.

Amounts are positive minor units; `now` is aware UTC. Every write takes a key: the same key with the same request gives the
first answer (`replayed`), with another request IdempotencyConflict. A refusal is a named error and writes nothing; the
caller's transaction stays usable, so no savepoint is needed. Outside a transaction each call is one of its own.

Source: docs/ledger.md.
"""

from wallets.ledger.accounts import (
    CEILING_NONE,
    account_archive,
    account_close,
    account_limit,
    account_open,
    lock,
    system_account,
)
from wallets.ledger.batches import BATCH_MAX, Batch, Item, Mode, Outcome, journal_post, post_batch
from wallets.ledger.calls import Meta, Transfer, key_id, refusal
from wallets.ledger.movements import capture, expire, hold, post, reverse, void
from wallets.ledger.reads import (
    AccountState,
    account_state,
    balance_effective,
    balance_known,
    entries_find,
    journal_transfers,
    transfers_find,
)

__all__ = [
    "BATCH_MAX",
    "CEILING_NONE",
    "AccountState",
    "Batch",
    "Item",
    "Meta",
    "Mode",
    "Outcome",
    "Transfer",
    "account_archive",
    "account_close",
    "account_limit",
    "account_open",
    "account_state",
    "balance_effective",
    "balance_known",
    "capture",
    "entries_find",
    "expire",
    "hold",
    "journal_post",
    "journal_transfers",
    "key_id",
    "lock",
    "post",
    "post_batch",
    "refusal",
    "reverse",
    "system_account",
    "transfers_find",
    "void",
]
