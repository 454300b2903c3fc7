"""One reader for every format: told by the file's first bytes, never by its name."""

from __future__ import annotations

from formats.statements import camt, ofx, own_csv
from formats.statements.model import Statement, StatementRefused


def read(data: bytes) -> Statement:
    """
    :raises StatementRefused: none of the formats, or one that is broken.
    """
    start = data[:4000]
    if b"OFXHEADER" in start or b"<OFX>" in start:
        return ofx.read(data)
    if b"BkToCstmr" in start or start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return camt.read(data)
    if start.lstrip(b"\xef\xbb\xbf").startswith(own_csv.COLUMNS[0].encode()):
        return own_csv.read(data)
    raise StatementRefused("format_unknown", "the file is neither CAMT.053 nor OFX nor our own CSV")
