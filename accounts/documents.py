"""The small markup of terms: paragraphs, ## headings and - lists, cut into blocks that a template writes (and escapes)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    kind: str  # heading | paragraph | list
    text: str = ""
    items: tuple[str, ...] = ()


def blocks_of(text: str) -> list[Block]:
    return [_block(part) for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]


def _block(part: str) -> Block:
    lines = [line.strip() for line in part.strip().splitlines()]
    if lines[0].startswith("## "):
        return Block("heading", text=" ".join([lines[0][3:], *lines[1:]]))
    if all(line.startswith("- ") for line in lines):
        return Block("list", items=tuple(line[2:] for line in lines))
    return Block("paragraph", text=" ".join(lines))
