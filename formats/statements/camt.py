"""
CAMT.053, the statement of ISO 20022, in the version that banks exchange today (camt.053.001.08: SEPA, Swiss and SWIFT
guidelines). The reader takes every version: it goes by the names of elements, not by their namespace.

Source: https://www.iso20022.org, "Bank-to-Customer Cash Management".
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from formats.statements.model import Head, Statement, StatementRefused, Transaction, parts, xml_text

FORMAT = "camt.053"
VERSION = "camt.053.001.08"
NAME_MAX, TEXT_MAX, CODE_MAX = 140, 140, 35


# --- writing --------------------------------------------------------------------------------------------------------------------


def write(head: Head, transactions: Iterable[Transaction]) -> Iterator[str]:
    """The document in pieces, an entry each."""
    made = head.made_at.isoformat(timespec="seconds")
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{VERSION}"><BkToCstmrStmt>\n'
        f"<GrpHdr>{_tag('MsgId', head.id)}{_tag('CreDtTm', made)}</GrpHdr>\n"
        f"<Stmt>{_tag('Id', head.id)}{_tag('CreDtTm', made)}"
        f"<FrToDt>{_tag('FrDtTm', f'{head.since}T00:00:00')}{_tag('ToDtTm', f'{head.until}T23:59:59')}</FrToDt>"
        f"<Acct><Id><Othr>{_tag('Id', head.account)}</Othr></Id>{_tag('Ccy', head.currency)}"
        f"{_wrapped('Ownr', _tag('Nm', head.owner[:NAME_MAX])) if head.owner else ''}</Acct>\n"
        f"{_balance('OPBD', head.opening, head.since, head.currency)}{_balance('CLBD', head.closing, head.until, head.currency)}"
    )
    for one in transactions:
        yield _entry(one)
    proof = _tag("AddtlStmtInf", head.proof[:500]) if head.proof else ""
    yield f"{proof}</Stmt></BkToCstmrStmt></Document>\n"


def _tag(name: str, text: str) -> str:
    return f"<{name}>{xml_text(text)}</{name}>"


def _wrapped(name: str, inside: str) -> str:
    return f"<{name}>{inside}</{name}>"


def _amount(amount: Decimal, currency: str) -> str:
    side = "DBIT" if amount < 0 else "CRDT"
    return f'<Amt Ccy="{currency}">{abs(amount):f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _balance(code: str, amount: Decimal, on: date, currency: str) -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}{_amount(amount, currency)}<Dt><Dt>{on}</Dt></Dt></Bal>\n"


def _entry(one: Transaction) -> str:
    amount = _amount(one.amount, one.currency)
    booked = _tag("DtTm", one.booked_at.isoformat()) if one.booked_at else _tag("Dt", str(one.booked_on))
    code = _wrapped("BkTxCd", _wrapped("Prtry", _tag("Cd", (one.kind or "other")[:CODE_MAX])))
    refs = _tag("AcctSvcrRef", one.bank_id) + (_tag("EndToEndId", one.reference[:CODE_MAX]) if one.reference else "")
    details = _wrapped("Refs", refs) + amount
    if one.counterparty:
        side = "Dbtr" if one.amount > 0 else "Cdtr"
        details += _wrapped("RltdPties", _wrapped(side, _wrapped("Pty", _tag("Nm", one.counterparty[:NAME_MAX]))))
    if one.description:
        details += _wrapped("RmtInf", "".join(_tag("Ustrd", part) for part in parts(one.description, TEXT_MAX)))
    return (
        f"<Ntry>{amount}<Sts><Cd>BOOK</Cd></Sts>{_wrapped('BookgDt', booked)}"
        f"{_wrapped('ValDt', _tag('Dt', str(one.value_on or one.booked_on)))}"
        f"{_tag('AcctSvcrRef', one.bank_id)}{code}{_wrapped('NtryDtls', _wrapped('TxDtls', details))}</Ntry>\n"
    )


# --- reading --------------------------------------------------------------------------------------------------------------------


def read(data: bytes) -> Statement:
    """
    The booked entries of the document's statements of one account; entries are forgotten as they are read.

    :raises StatementRefused: `xml`, `not_camt053`, `several_accounts`, `entry` (an amount or a day cannot be read).
    """
    found = _Reading()
    stack: list[str] = []
    try:
        for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
            name = _name(element)
            if event == "start":
                stack.append(name)
                continue
            stack.pop()
            if stack and stack[-1] == "Stmt":
                found.part(name, element)
                element.clear()
    except (ParseError, DefusedXmlException, ValueError, LookupError, UnicodeError) as error:
        raise StatementRefused("xml", "the file is not well-formed XML") from error
    if not found.seen:
        raise StatementRefused("not_camt053", "there is no statement in the file")
    return found.statement()


class _Reading:
    """What has been read of a document so far."""

    def __init__(self) -> None:
        self.seen = False
        self.accounts: set[str] = set()
        self.currency = self.proof = ""
        self.balances: dict[str, tuple[date | None, Decimal]] = {}
        self.since: date | None = None
        self.until: date | None = None
        self.transactions: list[Transaction] = []

    def part(self, name: str, element: Element) -> None:
        self.seen = True
        try:
            if name == "Acct":
                self.accounts.add(_text(element, "Id", "IBAN") or _text(element, "Id", "Othr", "Id"))
                self.currency = _text(element, "Ccy") or self.currency
                if len(self.accounts) > 1:
                    raise StatementRefused("several_accounts", "the file has statements of several accounts")
            elif name == "Bal":
                self._balance(element)
            elif name == "FrToDt":
                self.since = self.since or _day(_text(element, "FrDtTm") or _text(element, "FrDt"))
                self.until = _day(_text(element, "ToDtTm") or _text(element, "ToDt")) or self.until
            elif name == "AddtlStmtInf":
                self.proof = element.text or ""
            elif name == "Ntry" and (_text(element, "Sts", "Cd") or _text(element, "Sts")) in ("BOOK", ""):
                self.transactions += _transactions(element)
        except (ValueError, InvalidOperation) as error:
            raise StatementRefused("entry", "an amount or a day cannot be read", len(self.transactions) + 1) from error

    def _balance(self, element: Element) -> None:
        code = _text(element, "Tp", "CdOrPrtry", "Cd")
        on = _day(_text(element, "Dt", "Dt") or _text(element, "Dt", "DtTm"))
        amount, currency = _signed(element)
        self.currency = self.currency or currency
        # Several statements of one account follow each other: the first opening and the last closing count.
        if code == "OPBD" or (code == "PRCD" and "OPBD" not in self.balances):
            self.balances.setdefault("OPBD", (on, amount))
        elif code == "CLBD":
            self.balances["CLBD"] = (on, amount)

    def statement(self) -> Statement:
        opening, closing = self.balances.get("OPBD"), self.balances.get("CLBD")
        return Statement(
            format=FORMAT,
            account=next(iter(self.accounts), ""),
            currency=self.currency,
            opening=opening[1] if opening else None,
            closing=closing[1] if closing else None,
            since=self.since or (opening[0] if opening else None),
            until=self.until or (closing[0] if closing else None),
            transactions=self.transactions,
            proof=self.proof,
        )


def _transactions(entry: Element) -> list[Transaction]:
    """One for an entry; one for each of its details where these carry amounts of their own (a collective booking)."""
    whole, currency = _signed(entry)
    valued = _text(entry, "ValDt", "Dt") or _text(entry, "ValDt", "DtTm")
    booked = _text(entry, "BookgDt", "DtTm") or _text(entry, "BookgDt", "Dt") or valued
    day = _day(booked)
    if day is None:
        raise ValueError("an entry without a day")
    details = _all(entry, "NtryDtls", "TxDtls")
    split = len(details) > 1 and all(_all(one, "Amt") and _text(one, "CdtDbtInd") for one in details)
    bank_id = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    found = []
    chosen: list[Element | None] = [*details] if split else [details[0] if details else None]
    for one in chosen:
        amount = _signed(one)[0] if split and one is not None else whole
        found.append(
            Transaction(
                booked_on=day,
                booked_at=_moment(booked),
                value_on=_day(valued),
                amount=amount,
                currency=currency,
                bank_id=(_text(one, "Refs", "AcctSvcrRef") if one is not None else "") or bank_id,
                counterparty=_other(one, amount),
                description=_remittance(one) or _text(entry, "AddtlNtryInf"),
                kind=_text(entry, "BkTxCd", "Prtry", "Cd"),
                reference=_end_to_end(one),
            )
        )
    return found


def _other(details: Element | None, amount: Decimal) -> str:
    if details is None:
        return ""
    side = "Dbtr" if amount > 0 else "Cdtr"
    return _text(details, "RltdPties", side, "Pty", "Nm") or _text(details, "RltdPties", side, "Nm")


def _remittance(details: Element | None) -> str:
    if details is None:
        return ""
    return "".join(one.text or "" for one in _all(details, "RmtInf", "Ustrd")) or _text(details, "AddtlTxInf")


def _end_to_end(details: Element | None) -> str:
    found = _text(details, "Refs", "EndToEndId") if details is not None else ""
    return "" if found == "NOTPROVIDED" else found


def _signed(element: Element) -> tuple[Decimal, str]:
    money = next(iter(_all(element, "Amt")), None)
    amount = Decimal((money.text or "").strip()) if money is not None else Decimal("nan")
    if money is None or not amount.is_finite() or amount < 0:
        raise ValueError("an amount that is none")
    side = _text(element, "CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        raise ValueError("neither credit nor debit")
    return (-amount if side == "DBIT" else amount), money.get("Ccy", "")


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(element: Element, *path: str) -> list[Element]:
    found = [element]
    for name in path:
        found = [child for parent in found for child in parent if _name(child) == name]
    return found


def _text(element: Element | None, *path: str) -> str:
    found = _all(element, *path) if element is not None else []
    return (found[0].text or "") if found else ""


def _day(text: str) -> date | None:
    return date.fromisoformat(text.strip()[:10]) if text.strip() else None


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text.strip()) if "T" in text else None
