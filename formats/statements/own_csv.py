"""
Our own CSV: one line a movement, a header in English, days as 2026-03-11, amounts as -12.50. UTF-8 with a mark in front, so
that Excel reads it as such. Nothing in a cell can become a formula; the reader takes that protection off again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from formats.statements.model import Head, Statement, StatementRefused, Transaction

FORMAT = "hub-csv"
COLUMNS = (
    "booked_on",
    "value_on",
    "amount",
    "currency",
    "balance",
    "counterparty",
    "description",
    "kind",
    "reference",
    "transaction_id",
    "booked_at",
    "account",
)
_MARK = "\ufeff"
# What spreadsheets take for the beginning of a formula, also in its full-width form. A text that already looks protected is
# protected once more, so that taking it off is always right.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_PROTECTED = re.compile("'+[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def cell(text: str) -> str:
    """A text that no spreadsheet runs."""
    return f"'{text}" if _FORMULA.match(text) else text


def uncell(text: str) -> str:
    return text[1:] if _PROTECTED.match(text) else text


def write(head: Head, transactions: Iterable[Transaction]) -> Iterator[str]:
    """The file in pieces, a line each."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(_MARK)
    writer.writerow(COLUMNS)
    for one in transactions:
        yield _taken(buffer)
        writer.writerow(
            (
                one.booked_on.isoformat(),
                (one.value_on or one.booked_on).isoformat(),
                f"{one.amount:f}",
                one.currency,
                "" if one.balance is None else f"{one.balance:f}",
                cell(one.counterparty),
                cell(one.description),
                cell(one.kind),
                cell(one.reference),
                cell(one.bank_id),
                one.booked_at.isoformat() if one.booked_at else "",
                head.account,
            )
        )
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def read(data: bytes) -> Statement:
    """
    A file that `write` made. Opening and closing come from the balances of its first and last line.

    :raises StatementRefused: `encoding`, `header`, `line` (with the number of the line).
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StatementRefused("encoding", "the file is not UTF-8") from error
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[Transaction] = []
    account = ""
    try:
        header = next(rows, [])
        if tuple(header) != COLUMNS:
            raise StatementRefused("header", "the first line does not name our columns", 1)
        for row in rows:
            if row:
                found.append(_line(dict(zip(COLUMNS, row, strict=True))))
                account = row[-1]
    except (csv.Error, ValueError, InvalidOperation) as error:
        raise StatementRefused("line", "a line does not have the shape of the others", rows.line_num) from error
    return Statement(
        format=FORMAT,
        account=account,
        currency=found[0].currency if found else "",
        opening=found[0].balance - found[0].amount if found and found[0].balance is not None else None,
        closing=found[-1].balance if found else None,
        since=None,
        until=None,
        transactions=found,
    )


def _line(row: dict[str, str]) -> Transaction:
    amount = Decimal(row["amount"])
    balance = Decimal(row["balance"]) if row["balance"] else None
    if not amount.is_finite() or (balance is not None and not balance.is_finite()):
        raise ValueError(row["amount"])
    return Transaction(
        booked_on=date.fromisoformat(row["booked_on"]),
        value_on=date.fromisoformat(row["value_on"]),
        amount=amount,
        currency=row["currency"],
        balance=balance,
        counterparty=uncell(row["counterparty"]),
        description=uncell(row["description"]),
        kind=uncell(row["kind"]),
        reference=uncell(row["reference"]),
        bank_id=uncell(row["transaction_id"]),
        booked_at=datetime.fromisoformat(row["booked_at"]) if row["booked_at"] else None,
    )
