"""Transfers as rows: accepted, then settled or returned. The customer's own id makes repeating an order harmless, for ever."""

import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.bank.accounts import BY_IBAN, OTHER, iban_valid
from sandbox.control.faults import fault_take
from sandbox.world import World

Json = dict[str, Any]
CURRENCIES = ("EUR", "SEK", "NOK", "DKK", "GBP", "CHF", "USD", "PLN", "CZK")
AMOUNT_MAX = 10**12
KEY_LONGEST = 64


class BankError(Exception):
    """A refusal; nothing was booked."""

    def __init__(self, code: str, message: str, *, status: int = 422) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Wish:
    amount: int
    currency: str
    iban: str
    name: str
    text: str


def wish_read(body: Mapping[str, Any]) -> Wish:
    """
    :raises BankError: a field is missing or wrong.
    """
    creditor = body.get("creditor")
    if not isinstance(creditor, dict):
        raise BankError("invalid", "creditor is an object with name and iban")
    amount, currency = body.get("amount"), body.get("currency")
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount <= AMOUNT_MAX:
        raise BankError("amount_invalid", "amount is a positive whole number of minor units")
    if currency not in CURRENCIES:
        raise BankError("currency_not_supported", f"currency is one of: {', '.join(CURRENCIES)}")
    iban = str(creditor.get("iban", "")).replace(" ", "").upper()
    if not iban_valid(iban):
        raise BankError("iban_invalid", "creditor.iban is not an account number")
    name, text = str(creditor.get("name", "")).strip(), str(body.get("text", ""))
    if not 0 < len(name) <= 140 or len(text) > 140:
        raise BankError("invalid", "creditor.name has 1 to 140 characters, text at most 140")
    if refused := BY_IBAN.get(iban, OTHER).refused:
        raise BankError(refused, "there is no such account")
    return Wish(amount, currency, iban, name, text)


def transfer_create(db: sqlite3.Connection, world: World, client_id: str, wish: Wish) -> tuple[Json, bool]:
    """
    The transfer and whether it is new.

    :raises BankError: the id was used for another order.
    """
    found = transfer_find(db, client_id)
    if found is not None:
        if wish != Wish(found["amount"], found["currency"], found["creditor"]["iban"], found["creditor"]["name"], found["text"]):
            raise BankError("key_conflict", "this id was used for another order", status=409)
        return found, False
    account = BY_IBAN.get(wish.iban, OTHER)
    fault = fault_take(db, "bank_outcome")
    seconds = fault.seconds if fault.mode == "late" else account.seconds
    returned = "AC04" if fault.mode == "returned" else "" if account.returned_later else account.returned
    transfer_id = f"bt_{secrets.token_hex(12)}"
    db.execute(
        "INSERT INTO bank_transfer VALUES (?, ?, ?, ?, ?, ?, ?, 'accepted', ?, ?, ?, NULL)",
        (transfer_id, client_id, wish.amount, wish.currency, wish.iban, wish.name, wish.text, returned, time.time() + seconds,
         world.clock.now().isoformat()),
    )  # fmt: skip
    return transfer_get(db, transfer_id), True


def transfer_get(db: sqlite3.Connection, transfer_id: str) -> Json:
    """
    :raises BankError: not there.
    """
    row = db.execute("SELECT * FROM bank_transfer WHERE id = ?", (transfer_id,)).fetchone()
    if row is None:
        raise BankError("not_found", "there is no such transfer", status=404)
    return _body(row)


def transfer_find(db: sqlite3.Connection, client_id: str) -> Json | None:
    row = db.execute("SELECT * FROM bank_transfer WHERE client_id = ?", (client_id,)).fetchone()
    return _body(row) if row is not None else None


def transfers_latest(db: sqlite3.Connection, *, limit: int) -> list[Json]:
    return [_body(row) for row in db.execute("SELECT * FROM bank_transfer ORDER BY rowid DESC LIMIT ?", (limit,))]


def balances(db: sqlite3.Connection) -> list[Json]:
    """What was booked on the customer's account, which began with nothing: below zero, for orders only take from it."""
    rows = db.execute(
        "SELECT currency, -sum(amount) AS amount FROM bank_transfer WHERE state = 'settled' GROUP BY currency ORDER BY currency"
    )
    return [{"currency": row["currency"], "amount": row["amount"]} for row in rows]


def transfer_return(db: sqlite3.Connection, world: World, transfer_id: str) -> Json:
    """
    The other bank sends the money back, also after it was settled.

    :raises BankError: not there, or returned before.
    """
    if transfer_get(db, transfer_id)["state"] == "returned":
        raise BankError("returned", "it was returned before", status=409)
    _decide(db, world, transfer_id, "returned", "MS03")
    return transfer_get(db, transfer_id)


def transfers_settle_due(db: sqlite3.Connection, world: World, *, until: float) -> int:
    """Carry out what was to happen by the real time `until`; returns how many."""
    rows = db.execute("SELECT * FROM bank_transfer WHERE due_at <= ? ORDER BY due_at", (until,)).fetchall()
    for row in rows:
        account = BY_IBAN.get(row["iban"], OTHER)
        if row["state"] == "settled":
            _decide(db, world, row["id"], "returned", account.returned)
        elif row["outcome"]:
            _decide(db, world, row["id"], "returned", row["outcome"])
        else:
            later = row["due_at"] + account.returned_later if account.returned_later else None
            _decide(db, world, row["id"], "settled", "", due_at=later)
    return len(rows)


def _decide(db: sqlite3.Connection, world: World, transfer_id: str, state: str, code: str, *, due_at: float | None = None) -> None:
    db.execute(
        "UPDATE bank_transfer SET state = ?, outcome = ?, due_at = ?, decided_at = ? WHERE id = ?",
        (state, code, due_at, world.clock.now().isoformat(), transfer_id),
    )


def _body(row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "client_id": row["client_id"],
        "state": row["state"],
        "amount": row["amount"],
        "currency": row["currency"],
        "creditor": {"name": row["name"], "iban": row["iban"]},
        "text": row["text"],
        "return_code": row["outcome"] if row["state"] == "returned" else None,
        "created_at": row["created_at"],
        "decided_at": row["decided_at"],
    }
