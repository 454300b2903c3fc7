"""
All seals, computed anew from the transfers: what ledger_verify says of them.

The tree here is Python's, the one that made the seals is PostgreSQL's. Reads in steps, so that memory does not grow with the
ledger. Run it inside a transaction with one snapshot.

Source: docs/seals.md, "Verifying".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wallets.seals import tree
from wallets.seals.selectors import BLOCK

# Transfers that are read at once (64 bytes each here), and seals (the longest have 128 KB).
_TRANSFERS, _SEALS, _BLOCKS = 32_768, 50, 5_000
_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
# Bytes of a leaf that a seal keeps.
_PRINT = 2
Problem = tuple[str, str]


@dataclass(slots=True)
class _Seal:
    number: int
    size: int
    last: int
    sealed_at: datetime
    root: bytes
    chain: bytes
    prints: bytes

    def chain_after(self, previous: bytes) -> bytes:
        moment = self.sealed_at - _ZERO
        micros = (moment.days * 86_400 + moment.seconds) * 1_000_000 + moment.microseconds
        numbers = b"".join(value.to_bytes(8, "big", signed=True) for value in (self.number, self.size, self.last, micros))
        return hashlib.sha256(b"\x02" + previous + numbers + self.root).digest()


@dataclass(slots=True)
class Checked:
    """How many seals there are, and what is wrong, the first place first."""

    seals: int = 0
    problems: list[Problem] = field(default_factory=list)


def check(cursor: Any, *, heads: Mapping[int, str], most: int) -> Checked:
    """`heads`: chains (hexadecimal) that were noted elsewhere, by seal number. At most `most` problems are listed."""
    found = Checked()
    for problem in _problems(cursor, found, heads):
        found.problems.append(problem)
        if len(found.problems) == most:
            break
    return found


def _problems(cursor: Any, found: Checked, heads: Mapping[int, str]) -> Iterator[Problem]:
    rows, blocks, growing = _Rows(cursor), _blocks(cursor), tree.Growing()
    number, last, chain, whole = 0, 0, tree.EMPTY, True
    missing = set(heads)
    for seal in _seals(cursor):
        found.seals += 1
        follows = seal.number == number + 1
        if not follows:
            yield "seal_missing", str(number + 1)
        elif seal.chain_after(chain) != seal.chain:
            yield "seal_chain", str(seal.number)
        if seal.number in heads:
            missing.discard(seal.number)
            if heads[seal.number].lower() != seal.chain.hex():
                yield "seal_head", str(seal.number)
        ids, leaves = rows.upto(seal.last)
        changed = list(_changed(seal, ids, leaves, after=last, everything=follows))
        yield from changed
        # Every root after a changed row is another one, which says nothing new.
        whole = whole and not changed
        for at, leaf in enumerate(leaves):
            made = growing.add(leaf)
            if growing.size % BLOCK == 0:
                right = next(blocks, None) == (growing.size // BLOCK - 1, ids[at], b"".join(made[BLOCK.bit_length() - 1 :]))
                if whole and not right:
                    yield "seal_block", f"{growing.size // BLOCK - 1}, transfers up to {ids[at]}"
                    whole = False
        if whole and (growing.size != seal.size or growing.size == 0 or growing.root != seal.root):
            yield "seal_root", str(seal.number)
            whole = False
        number, last, chain = seal.number, seal.last, seal.chain
    if whole and next(blocks, None) is not None:
        yield "seal_block", str(growing.size // BLOCK)
    cursor.execute("SELECT number, chain FROM ledger_seal_state")
    kept = cursor.fetchone()
    if kept is None or (kept[0], bytes(kept[1])) != (number, chain):
        yield "seal_missing", str(number + 1)
    for noted in sorted(missing):
        yield "seal_head", str(noted)


def _changed(seal: _Seal, ids: list[int], leaves: list[bytes], *, after: int, everything: bool) -> Iterator[Problem]:
    """
    Which of the seal's transfers, those with ids above `after`, are not what they were. Not `everything`: those of a missing
    seal stand before them.
    """
    prints = [seal.prints[start : start + _PRINT] for start in range(0, len(seal.prints), _PRINT)]
    if not everything:
        ids, leaves = ids[-len(prints) :], leaves[-len(prints) :]
    now = [leaf[:_PRINT] for leaf in leaves]
    if now == prints:
        return
    if len(now) == len(prints):
        yield from (("transfer_changed", str(ids[at])) for at, was in enumerate(prints) if now[at] != was)
        return
    at = next((place for place, (is_now, was) in enumerate(zip(now, prints, strict=False)) if is_now != was), min(len(now), len(prints)))
    if len(now) > len(prints):
        yield "transfer_added", str(ids[at])
        return
    first, end = (ids[at - 1] if at else after) + 1, ids[at] if at < len(ids) else seal.last + 1
    # Ids may have gaps: then it is one of these.
    yield "transfer_missing", str(first) if first >= end - 1 else f"{first}..{end - 1}"


class _Rows:
    """The transfers in the order of their ids, read ahead."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._ids: list[int] = []
        self._leaves: list[bytes] = []
        self._read_to = 0

    def upto(self, last: int) -> tuple[list[int], list[bytes]]:
        """Those that were not given yet, up to and including this id."""
        while (not self._ids or self._ids[-1] < last) and self._more():
            pass
        count = len(self._ids) if not self._ids or self._ids[-1] <= last else next(at for at, found in enumerate(self._ids) if found > last)
        given = self._ids[:count], self._leaves[:count]
        del self._ids[:count], self._leaves[:count]
        return given

    def _more(self) -> bool:
        self._cursor.execute(
            "SELECT array_agg(id) FROM (SELECT id FROM ledger_transfer WHERE id > %s ORDER BY id LIMIT %s) t", [self._read_to, _TRANSFERS]
        )
        ids = self._cursor.fetchone()[0]
        if not ids:
            return False
        self._cursor.execute("SELECT ledger_seal_leaves(%s, %s)", [self._read_to, ids[-1]])
        packed = bytes(self._cursor.fetchone()[0])
        self._ids += ids
        self._leaves += [packed[start : start + tree.SIZE] for start in range(0, len(packed), tree.SIZE)]
        self._read_to = ids[-1]
        return True


def _seals(cursor: Any) -> Iterator[_Seal]:
    number = 0
    while True:
        cursor.execute(
            "SELECT number, size, last, sealed_at, root, chain, prints FROM ledger_seal WHERE number > %s ORDER BY number LIMIT %s",
            [number, _SEALS],
        )
        rows = cursor.fetchall()
        if not rows:
            return
        for row in rows:
            yield _Seal(*row[:4], *(bytes(value) for value in row[4:]))
        number = rows[-1][0]


def _blocks(cursor: Any) -> Iterator[tuple[int, int, bytes]]:
    number = -1
    while True:
        cursor.execute("SELECT number, last, nodes FROM ledger_seal_block WHERE number > %s ORDER BY number LIMIT %s", [number, _BLOCKS])
        rows = cursor.fetchall()
        if not rows:
            return
        for row in rows:
            yield row[0], row[1], bytes(row[2])
        number = rows[-1][0]
