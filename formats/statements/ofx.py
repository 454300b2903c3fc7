"""
OFX 2.2, the format that book-keeping programs import, and a reader for it and for the older SGML form.

A name longer than 32 characters stands whole in EXTDNAME (100), shortened in NAME. Moments have milliseconds.
Source: Open Financial Exchange Specification 2.2, chapter 11.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from formats.statements.model import Head, Statement, StatementRefused, Transaction, xml_text

FORMAT = "ofx"
NAME_MAX, LONG_NAME_MAX, MEMO_MAX, REFNUM_MAX = 32, 100, 255, 32
_STATUS = "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>"
# The opening balance has no field of its own in OFX.
_OPENING, _PROOF = "OPENING", "PROOF"


# --- writing --------------------------------------------------------------------------------------------------------------------


def write(head: Head, transactions: Iterable[Transaction]) -> Iterator[str]:
    """The document in pieces, a transaction each."""
    made = _stamp(head.made_at)
    yield (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        '<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
        f"<OFX><SIGNONMSGSRSV1><SONRS>{_STATUS}<DTSERVER>{made}</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>\n"
        f"<BANKMSGSRSV1><STMTTRNRS><TRNUID>0</TRNUID>{_STATUS}<STMTRS><CURDEF>{head.currency}</CURDEF>"
        f"<BANKACCTFROM><BANKID>HUB</BANKID>{_tag('ACCTID', head.account_short)}<ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>\n"
        f"<BANKTRANLIST><DTSTART>{head.since:%Y%m%d}</DTSTART><DTEND>{head.until:%Y%m%d}</DTEND>\n"
    )
    for one in transactions:
        yield _transaction(one)
    opening = _balance(_OPENING, "Balance at the beginning", head.opening, head.since)
    proof = _balance(_PROOF, head.proof[:80], Decimal(0), head.until) if head.proof else ""
    yield (
        f"</BANKTRANLIST><LEDGERBAL><BALAMT>{head.closing:f}</BALAMT><DTASOF>{head.until:%Y%m%d}</DTASOF></LEDGERBAL>"
        f"<BALLIST>{opening}{proof}</BALLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )


def _tag(name: str, text: str) -> str:
    # Programs take line ends around a value for layout, so those of the text are written as references.
    return f"<{name}>{xml_text(text).replace(chr(10), '&#10;')}</{name}>"


def _balance(name: str, text: str, amount: Decimal, on: date) -> str:
    return (
        f"<BAL><NAME>{name}</NAME>{_tag('DESC', text)}<BALTYPE>DOLLAR</BALTYPE><VALUE>{amount:f}</VALUE><DTASOF>{on:%Y%m%d}</DTASOF></BAL>"
    )


def _stamp(moment: datetime) -> str:
    """20260311130500.000[1:]: the local time first, because programs take the day from the first eight digits."""
    offset = moment.utcoffset() or timedelta(0)
    hours = Decimal(int(offset.total_seconds())) / 3600
    return f"{moment:%Y%m%d%H%M%S}.{moment.microsecond // 1000:03d}[{hours.normalize():f}:]"


def _transaction(one: Transaction) -> str:
    posted = _stamp(one.booked_at) if one.booked_at else f"{one.booked_on:%Y%m%d}"
    fields = [
        ("TRNTYPE", "CREDIT" if one.amount > 0 else "DEBIT"),
        ("DTPOSTED", posted),
        ("DTAVAIL", f"{one.value_on:%Y%m%d}" if one.value_on else ""),
        ("TRNAMT", f"{one.amount:f}"),
        ("FITID", one.bank_id),
        ("REFNUM", one.reference if len(one.reference) <= REFNUM_MAX else ""),
        ("NAME", one.counterparty[:NAME_MAX]),
        ("EXTDNAME", one.counterparty[:LONG_NAME_MAX] if len(one.counterparty) > NAME_MAX else ""),
        ("MEMO", one.description[:MEMO_MAX]),
    ]
    return f"<STMTTRN>{''.join(_tag(name, text) for name, text in fields if text)}</STMTTRN>\n"


# --- reading --------------------------------------------------------------------------------------------------------------------

# A tag that opens or closes, or an SGML leaf whose end is not written. Entities are not expanded beyond HTML's own five.
_TOKEN = re.compile(r"<(/?)([A-Za-z0-9._]+)>([^<]*)")
_STAMP = re.compile(r"(\d{8})(\d{6})?(?:\.(\d{1,6}))?(?:\[([+-]?\d+(?:\.\d+)?)(?::[^\]]*)?\])?")
_CHARSET = re.compile(r"^\s*(?:CHARSET|ENCODING):\s*(\S+)", re.MULTILINE | re.IGNORECASE)
_BODY = re.compile(r"<OFX>", re.IGNORECASE)


def read(data: bytes) -> Statement:
    """
    The booked transactions of the one bank or card account in the file.

    :raises StatementRefused: `not_ofx`, `several_accounts`, `entry` (an amount or a day cannot be read), `refused_by_bank`.
    """
    text = _decoded(data)
    body = _BODY.search(text)
    if body is None or "<!" in text[body.start() :]:
        raise StatementRefused("not_ofx", "the file is not OFX")
    found = _Reading()
    for token in _TOKEN.finditer(text, body.start()):
        # Line ends around a value are the file's, blanks may be part of it.
        found.token(bool(token[1]), token[2].upper(), html.unescape(token[3].strip("\r\n")))
    return found.statement()


def _decoded(data: bytes) -> str:
    head = data[:1000].decode("ascii", errors="replace")
    charset = _CHARSET.search(head)
    if "<?xml" not in head and charset and charset[1].upper() in ("1252", "USASCII", "8859-1", "ISO-8859-1"):
        return data.decode("cp1252", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


class _Reading:
    """Collects leaves by the innermost aggregate that matters."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.fields: dict[str, str] = {}
        self.accounts: list[str] = []
        self.currency = self.proof = ""
        self.opening: Decimal | None = None
        self.closing: Decimal | None = None
        self.since: date | None = None
        self.until: date | None = None
        self.transactions: list[Transaction] = []
        self.is_statement = False

    def token(self, closes: bool, name: str, text: str) -> None:
        if closes:
            if name in self.path:
                # An SGML leaf has no end of its own; whatever lies above ends with this.
                while self.path.pop() != name:
                    pass
                self._ended(name)
            return
        if name in ("STMTRS", "CCSTMTRS"):
            self.is_statement = True
        if name in ("STMTTRN", "BAL", "LEDGERBAL"):
            self.fields = {}
        # The end of an XML leaf is a close tag and finds it on the path; an SGML leaf is left behind by its parent's end.
        self.path.append(name)
        self._leaf(name, text)

    def _leaf(self, name: str, text: str) -> None:
        if not text.strip():
            return
        self.fields[name] = text
        try:
            if name == "ACCTID" and ("BANKACCTFROM" in self.path or "CCACCTFROM" in self.path):
                self.accounts.append(text.strip())
            elif name == "CURDEF":
                self.currency = text.strip()
            elif name == "DTSTART":
                self.since = _moment(text)[0]
            elif name == "DTEND":
                self.until = _moment(text)[0]
            elif name == "CODE" and "STATUS" in self.path and text.strip() != "0" and "STMTTRNRS" in self.path:
                raise StatementRefused("refused_by_bank", "the bank answered with an error instead of a statement")
        except ValueError as error:
            raise StatementRefused("entry", "a day cannot be read") from error

    def _ended(self, name: str) -> None:
        try:
            if name == "STMTTRN":
                self.transactions.append(_read_one(self.fields, self.currency))
            elif name == "LEDGERBAL" and self.fields.get("BALAMT"):
                self.closing = _number(self.fields["BALAMT"])
            elif name == "BAL" and self.fields.get("NAME") == _OPENING:
                self.opening = _number(self.fields["VALUE"])
            elif name == "BAL" and self.fields.get("NAME") == _PROOF:
                self.proof = self.fields.get("DESC", "")
        except (ValueError, KeyError, InvalidOperation) as error:
            raise StatementRefused("entry", "an amount or a day cannot be read", len(self.transactions) + 1) from error

    def statement(self) -> Statement:
        if not self.is_statement:
            raise StatementRefused("not_ofx", "there is no statement in the file")
        if len(set(self.accounts)) > 1:
            raise StatementRefused("several_accounts", "the file has statements of several accounts")
        return Statement(
            format=FORMAT,
            account=next(iter(self.accounts), ""),
            currency=self.currency,
            opening=self.opening,
            closing=self.closing,
            since=self.since,
            until=self.until,
            transactions=self.transactions,
            proof=self.proof,
        )


def _read_one(fields: dict[str, str], currency: str) -> Transaction:
    day, moment = _moment(fields["DTPOSTED"])
    return Transaction(
        booked_on=day,
        booked_at=moment,
        value_on=_moment(fields["DTAVAIL"])[0] if "DTAVAIL" in fields else None,
        amount=_number(fields["TRNAMT"]),
        currency=currency,
        bank_id=fields.get("FITID", ""),
        counterparty=fields.get("EXTDNAME") or fields.get("NAME", ""),
        description=fields.get("MEMO", ""),
        reference=fields.get("REFNUM", ""),
    )


def _number(text: str) -> Decimal:
    found = Decimal(text.strip().replace(",", "."))
    if not found.is_finite():
        raise ValueError(text)
    return found


def _moment(text: str) -> tuple[date, datetime | None]:
    """The day, and the moment where a time of day and its zone are known."""
    found = _STAMP.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    day = datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007  (a day has no zone)
    if found[2] is None or found[4] is None:
        return day, None
    zone = timezone(timedelta(seconds=int(Decimal(found[4]) * 3600)))
    moment = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S").replace(tzinfo=zone)
    return day, moment.replace(microsecond=int((found[3] or "0").ljust(6, "0")))
