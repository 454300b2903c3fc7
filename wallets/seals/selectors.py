"""Reading seals, and making proofs from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from core.errors import NotFound
from wallets import ledger
from wallets.models import Wallet
from wallets.seals import tree
from wallets.seals.errors import NotSealedYet, SealNotFound
from wallets.seals.models import LedgerSeal

FORMAT = "hub-ledger-proof/1"
# Leaves of a block, fixed by wallets/sql/ledger_seals.sql.
BLOCK = 256
# What both sides of a movement may read in its meta; of any other they get the hash only.
META_SHOWN = {"payment"}


@dataclass(frozen=True, slots=True)
class Moved:
    """One transfer of the ledger, for the list of a payment's proofs. `sealed` says whether there is a proof yet."""

    id: int
    kind: str
    amount_minor: int
    currency: str
    created_at: datetime
    sealed: bool


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Neighbouring leaves that are hashed together: block `number`, or what is behind the last whole block."""

    number: int
    after: int
    upto: int


def seals() -> QuerySet[LedgerSeal]:
    """All seals, newest first, without their long column."""
    return LedgerSeal.objects.defer("prints").order_by("-number")


def head() -> LedgerSeal | None:
    return seals().first()


def seal_get(number: int) -> LedgerSeal:
    """
    :raises SealNotFound: what it says.
    """
    found = seals().filter(number=number).first()
    if found is None:
        raise SealNotFound
    return found


def seal_document(seal: LedgerSeal, *, previous: bytes | None = None) -> dict[str, Any]:
    """A seal as the API and a proof show it; with `previous` (the chain of the seal before) it can be computed anew."""
    if previous is None:
        before = LedgerSeal.objects.filter(number=seal.number - 1).values_list("chain", flat=True).first()
        previous = bytes(before) if before is not None else tree.EMPTY
    return {
        "number": seal.number,
        "size": seal.size,
        "last": seal.last,
        "sealed_at": _moment(seal.sealed_at),
        "root": bytes(seal.root).hex(),
        "previous": previous.hex(),
        "chain": bytes(seal.chain).hex(),
    }


def seal_documents(*, before: int | None = None, limit: int) -> list[dict[str, Any]]:
    """A page of seals, newest first, older than number `before`."""
    found = seals() if before is None else seals().filter(number__lt=before)
    rows = list(found[: limit + 1])
    chains = [bytes(row.chain) for row in rows[1:]]
    if len(rows) <= limit:
        # The oldest of all follows on nothing.
        chains.append(tree.EMPTY)
    return [seal_document(row, previous=chain) for row, chain in zip(rows[:limit], chains, strict=False)]


def entry_proof(wallet: Wallet, seq: int) -> dict[str, Any]:
    """
    The proof of the transfer behind one line of a wallet's history.

    :raises NotFound: there is no such line.
    :raises NotSealedYet: it is too new.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT transfer FROM ledger_entry WHERE account = %s AND seq = %s", [wallet.account, seq])
        found = cursor.fetchone()
    if found is None:
        raise NotFound
    return proof_of(int(found[0]))


def moved_for(party_id: UUID, *, keys: Iterable[str | UUID], holds: Iterable[int] = ()) -> list[Moved]:
    """
    The transfers with these keys, and these holds with what became of them, as far as the party's own wallets are a side of
    them; oldest first.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.id, t.kind::text, t.amount, t.currency, t.created_at, t.id <= coalesce(s.last, 0)"
            " FROM ledger_transfer t LEFT JOIN (SELECT last FROM ledger_seal ORDER BY number DESC LIMIT 1) s ON true"
            " WHERE t.id = ANY (SELECT id FROM ledger_transfer WHERE key = ANY (%s) UNION SELECT unnest(%s::bigint[])"
            "     UNION SELECT id FROM ledger_transfer WHERE origin = ANY (%s::bigint[]) AND kind IN ('capture', 'void'))"
            " AND EXISTS (SELECT FROM wallets_wallet w WHERE w.party_id = %s AND w.account IN (t.debit, t.credit))"
            " ORDER BY t.id",
            [[ledger.key_id(key) for key in keys], list(holds), list(holds), party_id],
        )
        return [Moved(*row) for row in cursor.fetchall()]


def proof_of(transfer: int) -> dict[str, Any]:
    """
    The document that docs/verify_proof.py checks: the transfer, its leaf, the path to the root, and the newest seal. Whoever
    calls has made sure that it may be seen.

    :raises NotSealedYet: no seal is over it yet.
    :raises NotFound: there is no such transfer.
    """
    fields, seal, previous, stretch = _found(transfer)
    whole = seal.size // BLOCK
    leaves, place = _leaves(stretch, transfer)
    tail = _tail(bytes(seal.chain), seal.last, whole) if seal.size % BLOCK and stretch.number < whole else None
    path = tree.path_in(leaves, place) + _path_above(stretch.number, whole, seal.size, tail)
    return {
        "format": FORMAT,
        "transfer": fields,
        "leaf": {"index": stretch.number * BLOCK + place, "hash": leaves[place].hex()},
        "path": [neighbour.hex() for neighbour in path],
        "seal": seal_document(seal, previous=previous),
    }


# One question for what a proof starts from: the transfer, the newest seal and the one before, its block and the block before.
_START = f"""
    SELECT t.id, t.debit, t.credit, t.amount, t.currency, t.kind::text, t.origin, t.created_at, t.effective_at, t.request_hash, t.key,
        t.meta::text, encode(sha256(convert_to(t.meta::text, 'UTF8')), 'hex'),
        s.number, s.size, s.last, s.sealed_at, s.root, s.chain, p.chain, coalesce(b.number, s.size / {BLOCK}), b.last, coalesce(a.last, 0)
    FROM ledger_transfer t
    LEFT JOIN LATERAL (SELECT * FROM ledger_seal ORDER BY number DESC LIMIT 1) s ON true
    LEFT JOIN ledger_seal p ON p.number = s.number - 1
    LEFT JOIN LATERAL (
        SELECT number, last FROM ledger_seal_block WHERE last >= t.id AND number < s.size / {BLOCK} ORDER BY last LIMIT 1
    ) b ON true
    LEFT JOIN ledger_seal_block a ON a.number = coalesce(b.number, s.size / {BLOCK}) - 1
    WHERE t.id = %s
"""  # noqa: S608  (numbers of ours)


def _found(transfer: int) -> tuple[dict[str, Any], LedgerSeal, bytes, _Stretch]:
    with connection.cursor() as cursor:
        cursor.execute(_START, [transfer])
        row = cursor.fetchone()
    if row is None:
        raise NotFound
    names = ("number", "size", "last", "sealed_at", "root", "chain")
    seal = LedgerSeal(**dict(zip(names, row[13:19], strict=True)))
    if seal.number is None or transfer > seal.last:
        raise NotSealedYet
    number, upto, after = row[20:23]
    previous = tree.EMPTY if row[19] is None else bytes(row[19])
    return _fields(row), seal, previous, _Stretch(number, after, seal.last if upto is None else upto)


def _fields(row: tuple[Any, ...]) -> dict[str, Any]:
    names = ("id", "debit", "credit", "amount", "currency", "kind", "origin", "created_at", "effective_at", "request_hash", "key")
    found = dict(zip(names, row[:11], strict=True))
    meta = row[11] if row[11] is not None and set(json.loads(row[11])) <= META_SHOWN else None
    return {
        **found,
        "created_at": _moment(found["created_at"]),
        "effective_at": found["effective_at"] and _moment(found["effective_at"]),
        # As hexadecimal: not every reader of JSON keeps 64 bits of a number.
        "request_hash": found["request_hash"].to_bytes(8, "big", signed=True).hex(),
        "key": str(found["key"]),
        "meta": meta,
        "meta_sha256": row[12],
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _last_of(block: int) -> int:
    """The newest transfer of a whole block; 0 before the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce((SELECT last FROM ledger_seal_block WHERE number = %s), 0)", [block])
        return int(cursor.fetchone()[0])


@lru_cache(maxsize=32)
def _tail(chain: bytes, last: int, whole: int) -> bytes:
    """The root of what is behind the last whole block. It never changes for a seal, which its chain names in any database."""
    leaves, _ = _leaves(_Stretch(whole, _last_of(whole - 1), last), 0)
    return tree.root_of(leaves)


def _leaves(stretch: _Stretch, transfer: int) -> tuple[list[bytes], int]:
    """The hashes, and the place of the transfer among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_seal_leaves(%s, %s), (SELECT count(*) FROM ledger_transfer WHERE id > %s AND id < %s)",
            [stretch.after, stretch.upto, stretch.after, transfer],
        )
        packed, place = cursor.fetchone()
    packed = bytes(packed)
    return [packed[start : start + tree.SIZE] for start in range(0, len(packed), tree.SIZE)], place


def _path_above(number: int, whole: int, size: int, tail: bytes | None) -> list[bytes]:
    """The neighbours of block `number` in the tree over `whole` blocks and the tail behind them."""
    total = -(-size // BLOCK)
    # Each neighbour is a list of whole subtrees, left to right, each as (its last block, its level); the tail comes after.
    wanted: list[tuple[list[tuple[int, int]], bool]] = []
    level = 0
    while (total - 1) >> level:
        beside = number >> level ^ 1
        first, end = beside << level, beside + 1 << level
        if first < total:
            wanted.append((_subtrees(first, min(end, whole)), end > whole))
        level += 1
    nodes = _nodes({last for subtrees, _ in wanted for last, _ in subtrees})
    path = []
    for subtrees, with_tail in wanted:
        hashes = [nodes[last][at * tree.SIZE : (at + 1) * tree.SIZE] for last, at in subtrees]
        if with_tail and tail is not None:
            hashes.append(tail)
        found = hashes.pop()
        while hashes:
            found = tree.node(hashes.pop(), found)
        path.append(found)
    return path


def _subtrees(first: int, end: int) -> list[tuple[int, int]]:
    """The whole subtrees that blocks first..end-1 fall into; `first` is a multiple of every size that fits."""
    found, place = [], first
    for level in reversed(range((end - first).bit_length())):
        if (end - first) >> level & 1:
            place += 1 << level
            found.append((place - 1, level))
    return found


def _nodes(blocks: set[int]) -> dict[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, nodes FROM ledger_seal_block WHERE number = ANY (%s)", [list(blocks)])
        return {number: bytes(nodes) for number, nodes in cursor.fetchall()}
