"""
A statement as a file. Files are written to disk before the first byte is sent: a long one takes no memory, and a fault in the
middle is an error, never half a statement that looks whole.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts import selectors as accounts
from accounts.models import Party
from formats.statements import camt, ofx, own_csv
from formats.statements.model import Head, Transaction
from wallets.statements import proof, selectors
from wallets.statements.selectors import Line, Statement

# Beyond, the file lies on disk.
_MEMORY = 1 << 20


class Format(models.TextChoices):
    PDF = "pdf", _("PDF, to read and print")
    CSV = "csv", _("CSV, for spreadsheets")
    OFX = "ofx", _("OFX 2.2, for book-keeping programs")
    CAMT = "camt053", _("CAMT.053 (ISO 20022), for accounting systems")


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    content_type: str
    file: IO[bytes]


_KINDS: dict[Format, tuple[str, str]] = {
    Format.PDF: ("pdf", "application/pdf"),
    Format.CSV: ("csv", "text/csv; charset=utf-8"),
    Format.OFX: ("ofx", "application/x-ofx"),
    Format.CAMT: ("xml", "application/xml"),
}
_TEXT: dict[Format, Callable[[Head, Iterable[Transaction]], Iterator[str]]] = {
    Format.CSV: own_csv.write,
    Format.OFX: ofx.write,
    Format.CAMT: camt.write,
}


def document(statement: Statement, form: Format, *, language: str, now: datetime) -> Document:
    """
    The file, open at its beginning; the caller closes it.

    :raises StatementTooLong: a PDF of more than `pdf.LINES_MAX` lines.
    """
    suffix, content_type = _KINDS[form]
    owner = accounts.party_display_name(Party.objects.get(id=statement.wallet.party_id))
    file: Any = SpooledTemporaryFile(max_size=_MEMORY)  # noqa: SIM115  (whoever sends it closes it)
    try:
        if form is Format.PDF:
            _pdf(file, statement, owner=owner, language=language, now=now)
        else:
            head = head_of(statement, owner=owner, now=now)
            for piece in _TEXT[form](head, (exchanged(line, statement) for line in selectors.lines(statement))):
                file.write(piece.encode())
        file.seek(0)
    except BaseException:
        file.close()
        raise
    period = statement.period
    return Document(f"statement-{statement.wallet.currency}-{period.since}-{period.until}.{suffix}", content_type, file)


def _pdf(file: IO[bytes], statement: Statement, *, owner: str, language: str, now: datetime) -> None:
    # The library and its fonts are read when the first PDF is asked for.
    from wallets.statements import pdf

    lines, reference = selectors.lines(statement), proof.reference(statement)
    pdf.write(file, statement, lines, owner=owner, proof=reference, language=language, now=now)


def head_of(statement: Statement, *, owner: str, now: datetime) -> Head:
    period, wallet = statement.period, statement.wallet
    # The same statement has the same id: whoever imports it twice can tell.
    known_as = uuid5(NAMESPACE_URL, f"{wallet.id}/{period.since}/{period.until}/{statement.last}")
    return Head(
        id=known_as.hex,
        account=wallet.id.hex,
        account_short=base64.urlsafe_b64encode(wallet.id.bytes).decode().rstrip("="),
        owner=owner,
        currency=wallet.currency,
        since=period.since,
        until=period.until,
        opening=statement.opening.decimal,
        closing=statement.closing.decimal,
        made_at=now.astimezone(ZoneInfo(period.zone)),
        proof=proof.reference(statement),
    )


def exchanged(line: Line, statement: Statement) -> Transaction:
    """A line as the exchange formats know it. Days are those of the period's zone."""
    entry, zone = line.entry, ZoneInfo(statement.period.zone)
    booked = entry.created_at.astimezone(zone)
    payment = entry.meta.get("payment")
    return Transaction(
        booked_on=booked.date(),
        booked_at=booked,
        value_on=entry.effective_at.astimezone(zone).date(),
        amount=entry.amount.decimal,
        currency=entry.amount.currency,
        balance=entry.balance.decimal,
        bank_id=str(entry.transfer_id),
        counterparty=line.text.counterparty,
        description=line.text.note or line.text.label,
        kind=line.text.kind,
        reference=UUID(payment).hex if payment else "",
    )
