"""What is written can be read again without loss, by our readers and by an XML parser that knows nothing of us."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.statements import camt, ofx, own_csv, reading
from formats.statements.model import Head, Statement, StatementRefused, Transaction

Write = Callable[..., Iterator[str]]
# Whatever people can type, with what spreadsheets, XML and CSV would trip over made likely.
TEXT = st.text(alphabet=st.one_of(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), st.sampled_from("=+-@'\"<>&;,\t\n\r")))
NAMES, NOTES = TEXT.map(lambda text: text[:100].strip()), TEXT.map(lambda text: text[:140].strip())
ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9, minutes=-30)), timezone(timedelta(hours=3, minutes=30))]
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=ZONES).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


@st.composite
def statements(draw: st.DrawFn) -> tuple[Head, list[Transaction]]:
    currency, places = draw(st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)]))
    balance = opening = Decimal(draw(st.integers(0, 10**12))).scaleb(-places)
    lines = []
    for number in range(draw(st.integers(0, 6))):
        amount = Decimal(draw(st.integers(-(10**12), 10**12).filter(bool))).scaleb(-places)
        balance += amount
        moment = draw(MOMENTS)
        lines.append(
            Transaction(
                booked_on=moment.date(),
                booked_at=moment,
                value_on=draw(st.dates(date(2000, 1, 1), date(2100, 1, 1))),
                amount=amount,
                currency=currency,
                balance=balance,
                bank_id=f"{number + 1}",
                counterparty=draw(NAMES),
                description=draw(NOTES),
                kind=draw(st.sampled_from(["transfer", "top_up", "pot"])),
                reference=draw(st.sampled_from(["", "0199b2c48d5e70008000000000000001"])),
            )
        )
    head = Head(
        id="0199b2c48d5e7000800000000000000a",
        account="0199b2c48d5e700080000000000000f1",
        account_short="AZmyxI1ecACAAAAAAAAA8Q",
        owner=draw(NAMES),
        currency=currency,
        since=date(2000, 1, 1),
        until=date(2100, 1, 1),
        opening=opening,
        closing=balance,
        made_at=datetime(2026, 3, 11, 12, tzinfo=UTC),
        proof="Seal 7: 0011aabb",
    )
    return head, lines


def written(write: Write, head: Head, lines: list[Transaction]) -> bytes:
    return "".join(write(head, lines)).encode()


def adds_up(found: Statement) -> bool:
    assert found.opening is not None
    return found.opening + sum(one.amount for one in found.transactions) == found.closing


@settings(max_examples=150, deadline=None)
@given(made=statements())
def test_csv_loses_nothing(made: tuple[Head, list[Transaction]]) -> None:
    head, lines = made
    found = reading.read(written(own_csv.write, head, lines))
    assert found.transactions == lines
    if lines:
        assert (found.opening, found.closing, found.account) == (head.opening, head.closing, head.account)
        assert adds_up(found)


@settings(max_examples=150, deadline=None)
@given(made=statements())
def test_camt_loses_nothing_but_the_running_balance(made: tuple[Head, list[Transaction]]) -> None:
    head, lines = made
    data = written(camt.write, head, lines)
    found = reading.read(data)
    assert found.transactions == [replace(one, balance=None) for one in lines]
    assert (found.opening, found.closing, found.account, found.proof) == (head.opening, head.closing, head.account, head.proof)
    assert (found.since, found.until) == (head.since, head.until)
    assert adds_up(found)
    assert ElementTree.fromstring(data).tag == f"{{urn:iso:std:iso:20022:tech:xsd:{camt.VERSION}}}Document"


@settings(max_examples=150, deadline=None)
@given(made=statements())
def test_ofx_loses_nothing_but_the_running_balance_and_the_kind(made: tuple[Head, list[Transaction]]) -> None:
    head, lines = made
    data = written(ofx.write, head, lines)
    found = reading.read(data)
    assert found.transactions == [replace(one, balance=None, kind="") for one in lines]
    assert (found.opening, found.closing, found.account, found.proof) == (head.opening, head.closing, head.account_short, head.proof)
    assert adds_up(found)
    ElementTree.fromstring(data)


@settings(max_examples=300, deadline=None)
@given(text=TEXT)
def test_no_cell_is_a_formula_and_the_protection_comes_off_again(text: str) -> None:
    shown = own_csv.cell(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert own_csv.uncell(shown) == text


def test_csv_is_read_by_pythons_own_reader() -> None:
    head, lines = a_statement()
    rows = list(csv.DictReader(io.StringIO(written(own_csv.write, head, lines).decode("utf-8-sig"))))
    assert [(row["amount"], row["balance"], row["counterparty"]) for row in rows] == [("12.50", "112.50", "'=HYPERLINK(1)")]


def a_statement(**changes: object) -> tuple[Head, list[Transaction]]:
    line = Transaction(
        booked_on=date(2026, 3, 11),
        amount=Decimal("12.50"),
        currency="EUR",
        bank_id="7",
        balance=Decimal("112.50"),
        counterparty="=HYPERLINK(1)",
        value_on=date(2026, 3, 11),
    )
    head = Head(
        id="s",
        account="a",
        account_short="a",
        owner="Åsa",
        currency="EUR",
        since=date(2026, 3, 1),
        until=date(2026, 3, 31),
        opening=Decimal("100.00"),
        closing=Decimal("112.50"),
        made_at=datetime(2026, 4, 1, tzinfo=UTC),
    )
    return head, [replace(line, **changes)]  # type: ignore[arg-type]


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "format_unknown"),
            (b"\x00\x01", "format_unknown"),
            (b"a,b,c\n1,2,3", "format_unknown"),
            (b"booked_on,b\n", "header"),
            (",".join(own_csv.COLUMNS).encode() + b"\n2026-03-11,x\n", "line"),
            (",".join(own_csv.COLUMNS).encode() + b"\n2026-03-11,2026-03-11,NaN,EUR,,,,,,1,,a\n", "line"),
            (",".join(own_csv.COLUMNS).encode() + b"\n\xff", "encoding"),
            (b"<Document></Document>", "not_camt053"),
            (b"<Document><BkToCstmrStmt>", "xml"),
            (b'<!DOCTYPE d [<!ENTITY a "aa">]><Document><BkToCstmrStmt>&a;</BkToCstmrStmt></Document>', "xml"),
            (b"<Document><BkToCstmrStmt><Stmt><Ntry><Amt Ccy='EUR'>x</Amt></Ntry></Stmt></BkToCstmrStmt></Document>", "entry"),
            (b"<?OFX OFXHEADER='200'?>", "not_ofx"),
            (b"OFXHEADER:100\n\n<OFX><SIGNONMSGSRSV1></SIGNONMSGSRSV1></OFX>", "not_ofx"),
            (b"OFXHEADER:100\n\n<OFX><STMTRS><STMTTRN><DTPOSTED>x<TRNAMT>1</STMTTRN></STMTRS></OFX>", "entry"),
        ],
    )
    def test_name_what_is_wrong(self, data: bytes, code: str) -> None:
        with pytest.raises(StatementRefused) as refused:
            reading.read(data)
        assert refused.value.code == code

    @settings(max_examples=200, deadline=None)
    @given(start=st.sampled_from([b"<", b"<OFX>", b"<Document><BkToCstmrStmt><Stmt>", b"booked_on,"]), rest=st.binary(max_size=200))
    def test_are_all_that_can_happen_to_a_broken_file(self, start: bytes, rest: bytes) -> None:
        with contextlib.suppress(StatementRefused):
            reading.read(start + rest)


class TestTextsThatFormatsCannotCarry:
    def test_are_marked_in_xml_and_kept_in_csv(self) -> None:
        head, lines = a_statement(description="bell\x07")
        assert reading.read(written(camt.write, head, lines)).transactions[0].description == "bell\ufffd"
        assert reading.read(written(ofx.write, head, lines)).transactions[0].description == "bell\ufffd"
        assert reading.read(written(own_csv.write, head, lines)).transactions[0].description == "bell\x07"


class TestOthersFiles:
    """Published examples of other programs, where the samples are there."""

    @pytest.fixture(autouse=True)
    def _samples(self) -> None:
        if not os.environ.get("HUB_SAMPLES"):
            pytest.skip("HUB_SAMPLES names no folder of samples")

    def sample(self, name: str) -> Statement:
        return reading.read((Path(os.environ["HUB_SAMPLES"]) / "statements" / name).read_bytes())

    @pytest.mark.parametrize("name", ["genkgo__camt053.v2.minimal.xml", "genkgo__camt053.v4.xml", "genkgo__camt053.v2.five.decimals.xml"])
    def test_camt_of_other_versions_is_read(self, name: str) -> None:
        assert self.sample(f"camt/{name}").transactions

    def test_old_ofx_is_read(self) -> None:
        found = self.sample("ofx/jseutter__anzcc.ofx")
        assert found.transactions
        assert found.closing is not None
