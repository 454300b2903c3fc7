#!/usr/bin/env python3
"""
Check a proof that a movement of money is in the hub's ledger. Needs Python 3.8 or newer and nothing else; uses no network.

    python3 verify_proof.py proof.json
    python3 verify_proof.py proof.json --head HEAD       HEAD: a seal's chain, or a file with a published seal
    python3 verify_proof.py proof.json --seals FILE      FILE: the published list of seals, from the proof's to a newer one

The proof alone shows that the movement, as written in it, is under the seal that is written in it. That this is the seal which
everybody else was shown is what --head and --seals show: take the head from the hub's public page, from somebody else, or from
your own notes.

Ends with 0: the proof holds. 1: it does not. 2: a file cannot be read or is not what it should be.
The bytes are described in docs/seals.md.
"""

# ruff: noqa: T201, UP017  (it talks by printing, and runs on old versions of Python)
from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

FORMAT = "hub-ledger-proof/1"
ZERO = datetime(2000, 1, 1, tzinfo=timezone.utc)
SEAL_NUMBERS = ("number", "size", "last")


class Unreadable(Exception):
    """The file is not a proof, a seal or a list of seals."""


class Wrong(Exception):
    """The proof does not hold."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def number(value: Any, size: int = 8) -> bytes:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{value!r} is not a whole number")
    try:
        return value.to_bytes(size, "big", signed=True)
    except OverflowError:
        raise Unreadable(f"{value} is too large") from None


def moment(text: Any) -> bytes:
    """Microseconds since the year 2000."""
    try:
        found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        raise Unreadable(f"{text!r} is not a moment like 2026-03-11T12:00:00.000000Z") from None
    return number((found - ZERO) // timedelta(microseconds=1))


def hexadecimal(text: Any, size: int = 32) -> bytes:
    try:
        found = bytes.fromhex(text)
    except (TypeError, ValueError):
        raise Unreadable(f"{text!r} is not hexadecimal") from None
    if len(found) != size:
        raise Unreadable(f"{text!r} has not {size} bytes")
    return found


def leaf_of(transfer: Any) -> bytes:
    """The hash of a transfer: 0x00, its numbers, the hash of its meta, its kind and currency."""
    meta_hash = bytes(32) if transfer["meta_sha256"] is None else hexadecimal(transfer["meta_sha256"])
    if transfer["meta"] is not None and sha256(transfer["meta"].encode()) != meta_hash:
        raise Wrong("the meta is not the one that was hashed")
    return sha256(
        b"\x00"
        + number(transfer["id"])
        + number(transfer["debit"], 4)
        + number(transfer["credit"], 4)
        + number(transfer["amount"])
        + moment(transfer["created_at"])
        + (number(-(2**63)) if transfer["effective_at"] is None else moment(transfer["effective_at"]))
        + number(0 if transfer["origin"] is None else transfer["origin"])
        + hexadecimal(transfer["request_hash"], 8)
        + hexadecimal(transfer["key"].replace("-", ""), 16)
        + meta_hash
        + ("{}:{}".format(transfer["kind"], transfer["currency"])).encode()
    )


def root_from(leaf: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        raise Wrong("the leaf's index is outside of the tree")
    found, last, left = leaf, size - 1, list(path)
    while last:
        if index % 2 or index < last:
            if not left:
                raise Wrong("the path is too short")
            beside = left.pop(0)
            found = sha256(b"\x01" + (beside + found if index % 2 else found + beside))
        index, last = index >> 1, last >> 1
    if left:
        raise Wrong("the path is too long")
    return found


def chain_of(seal: Any) -> bytes:
    """The hash over a seal and the chain of the one before."""
    numbers = b"".join(number(seal[name]) for name in SEAL_NUMBERS)
    return sha256(b"\x02" + hexadecimal(seal["previous"]) + numbers + moment(seal["sealed_at"]) + hexadecimal(seal["root"]))


def check_seal(seal: Any) -> None:
    if chain_of(seal) != hexadecimal(seal["chain"]):
        raise Wrong("seal {} is not what its chain says".format(seal["number"]))


def check_proof(proof: Any) -> None:
    if not isinstance(proof, dict) or proof.get("format") != FORMAT:
        raise Unreadable(f"this is not a proof of the format {FORMAT}")
    leaf, seal = leaf_of(proof["transfer"]), proof["seal"]
    if leaf != hexadecimal(proof["leaf"]["hash"]):
        raise Wrong("the transfer is not the one that was hashed")
    for value in (proof["leaf"]["index"], seal["size"]):
        number(value)
    if root_from(leaf, proof["leaf"]["index"], seal["size"], [hexadecimal(found) for found in proof["path"]]) != hexadecimal(seal["root"]):
        raise Wrong("the path does not lead to the seal's root")
    check_seal(seal)


def check_head(seal: Any, head: Any) -> None:
    """The published seal of the same number has the same chain."""
    if isinstance(head, dict):
        check_seal(head)
        if head["number"] != seal["number"]:
            numbers = f"the head is seal {head['number']} and the proof is of seal {seal['number']}"
            raise Unreadable(numbers + ": download the proof again, or use --seals")
        head = head["chain"]
    if hexadecimal(head) != hexadecimal(seal["chain"]):
        raise Wrong("the published head is another one: the hub has shown different ledgers")


def check_seals(seal: Any, listed: Any) -> Any:
    """The published seals lead from the proof's seal to the newest of them without a gap; returns the newest."""
    rows = listed.get("items") if isinstance(listed, dict) else listed
    if not isinstance(rows, list) or not rows:
        raise Unreadable("this is not a list of seals")
    by_number = {row["number"]: row for row in rows}
    if seal["number"] not in by_number:
        raise Unreadable("seal {} is not in the list".format(seal["number"]))
    check_head(seal, by_number[seal["number"]])
    found = by_number[seal["number"]]
    while found["number"] + 1 in by_number:
        after = by_number[found["number"] + 1]
        check_seal(after)
        if after["previous"] != found["chain"] or after["size"] <= found["size"]:
            raise Wrong("seal {} does not follow on seal {}".format(after["number"], found["number"]))
        found = after
    return found


def read(path: str) -> Any:
    try:
        if path == "-":
            return json.load(sys.stdin)
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: {error}") from None


def head_from(text: str) -> Any:
    """A chain as it is, or the file that holds the seal."""
    return text if len(text) == 64 and not set(text.lower()) - set("0123456789abcdef") else read(text)


def tell(proof: Any) -> None:
    transfer, seal = proof["transfer"], proof["seal"]
    print("The proof holds.")
    print("  transfer    {} ({})".format(transfer["id"], transfer["kind"]))
    print("  amount      {} {}, in minor units".format(transfer["amount"], transfer["currency"]))
    print("  from, to    account {}, account {}".format(transfer["debit"], transfer["credit"]))
    print("  recorded    {}".format(transfer["created_at"]))
    if transfer["meta"]:
        print("  about       {}".format(transfer["meta"]))
    print("  sealed      {}, number {} of {}, seal {}".format(seal["sealed_at"], proof["leaf"]["index"] + 1, seal["size"], seal["number"]))
    print("  chain       {}".format(seal["chain"]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check a proof of the hub's ledger, offline.")
    parser.add_argument("proof", help="the file with the proof; - reads it from standard input")
    parser.add_argument("--head", help="a seal's chain, or a file with the published seal")
    parser.add_argument("--seals", help="a file with the published list of seals")
    chosen = parser.parse_args(arguments)
    try:
        proof = read(chosen.proof)
        check_proof(proof)
        if chosen.head:
            check_head(proof["seal"], head_from(chosen.head))
        newest = check_seals(proof["seal"], read(chosen.seals)) if chosen.seals else None
    except Wrong as error:
        print(f"The proof does NOT hold: {error}.")
        return 1
    except Unreadable as error:
        print(f"This cannot be checked: {error}.", file=sys.stderr)
        return 2
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        print(f"This cannot be checked: something is missing or of the wrong kind ({error}).", file=sys.stderr)
        return 2
    tell(proof)
    if chosen.head:
        print("  published   the same chain")
    elif newest:
        print("  published   the same chain, and %s newer seals that follow on it" % (newest["number"] - proof["seal"]["number"]))
    else:
        print("Compare the chain with the published one of seal {}.".format(proof["seal"]["number"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
