"""
The tree of RFC 6962: hashes of 32 bytes, pure functions.

Source: RFC 6962 section 2.1, RFC 9162 section 2.1.3; docs/seals.md.
"""

from __future__ import annotations

import hashlib

SIZE = 32
EMPTY = bytes(SIZE)


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def level_above(hashes: list[bytes]) -> list[bytes]:
    """Each two become one; one that is left over goes up as it is."""
    paired = [node(hashes[place], hashes[place + 1]) for place in range(0, len(hashes) - 1, 2)]
    return [*paired, hashes[-1]] if len(hashes) % 2 else paired


def root_of(hashes: list[bytes]) -> bytes:
    """The root over at least one hash."""
    while len(hashes) > 1:
        hashes = level_above(hashes)
    return hashes[0]


def path_in(hashes: list[bytes], place: int) -> list[bytes]:
    """The neighbours that lead from one hash to the root, lowest first."""
    path = []
    while len(hashes) > 1:
        if place ^ 1 < len(hashes):
            path.append(hashes[place ^ 1])
        hashes, place = level_above(hashes), place >> 1
    return path


def root_from(leaf: bytes, place: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a leaf at this place of a tree of `size` leaves comes to; None: the path is too short or too long."""
    found, last, left = leaf, size - 1, list(path)
    if not 0 <= place <= last:
        return None
    while last:
        if place % 2 or place < last:
            if not left:
                return None
            neighbour = left.pop(0)
            found = node(neighbour, found) if place % 2 else node(found, neighbour)
        place, last = place >> 1, last >> 1
    return None if left else found


class Growing:
    """A tree that leaves are added to; keeps one hash for each whole subtree, at most 63 of them."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> list[bytes]:
        """The roots of the whole subtrees that end with this leaf: of 1 leaf (itself), 2, 4 ..."""
        made, level = [leaf], self.size
        while level & 1:
            made.append(node(self._peaks.pop(), made[-1]))
            level >>= 1
        self._peaks.append(made[-1])
        self.size += 1
        return made

    @property
    def root(self) -> bytes:
        """Of at least one leaf."""
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node(peak, found)
        return found
