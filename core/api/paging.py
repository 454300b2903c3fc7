"""Cursor paging: a cursor is the key of the last row of a page, so that rows written meanwhile never shift the pages."""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from core.errors import InputInvalid

Row = TypeVar("Row")
Found = TypeVar("Found", bound=Model)
LIMIT_DEFAULT = 25
LIMIT_MAX = 100


class CursorInvalid(InputInvalid):
    code = "cursor_invalid"
    default_field = "cursor"
    default_message = _("This cursor is not one of ours. Start from the first page.")


class PageInput(serializers.Serializer[Any]):
    """The query of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=LIMIT_MAX, default=LIMIT_DEFAULT, help_text="Rows on a page.")
    cursor = serializers.CharField(max_length=400, required=False, help_text="`next_cursor` of the page before.")


def cursor_pack(*parts: str | int) -> str:
    """An opaque text; clients must not read it."""
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def cursor_unpack(cursor: str, *kinds: type[Any]) -> list[Any]:
    """
    The parts of a cursor, each made by its kind (int, str, UUID, datetime.fromisoformat).

    :raises CursorInvalid: not made by `cursor_pack` with as many parts.
    """
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.loads(raw)
        if not isinstance(parts, list) or len(parts) != len(kinds) or not all(isinstance(part, (str, int)) for part in parts):
            raise CursorInvalid
        return [kind(part) for kind, part in zip(kinds, parts, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, RecursionError):
        raise CursorInvalid from None


def place_pack(at: datetime, row_id: UUID) -> str:
    """The cursor of a list in the order of (moment, id)."""
    return cursor_pack(at.isoformat(), str(row_id))


def place_unpack(cursor: str) -> tuple[datetime, UUID]:
    """
    The moment and the id of `place_pack`.

    :raises CursorInvalid: not one of those.
    """
    at, row_id = cursor_unpack(cursor, datetime.fromisoformat, UUID)  # type: ignore[arg-type]
    if at.tzinfo is None:
        raise CursorInvalid
    return at, row_id


def older_than(rows: QuerySet[Found], place: tuple[datetime, UUID] | None, *, at: str = "created_at") -> QuerySet[Found]:
    """
    The rows that come behind a place in the order of (-`at`, -id), all of them without one. The plain bound beside the
    alternative is what lets the index begin there.
    """
    if place is None:
        return rows
    moment, row_id = place
    return rows.filter(Q(**{f"{at}__lt": moment}) | Q(**{at: moment, "id__lt": row_id}), **{f"{at}__lte": moment})


def page_body(items: Sequence[Any], *, next_cursor: str | None) -> dict[str, Any]:
    return {"items": list(items), "next_cursor": next_cursor}


def page_answer(rows: Sequence[Row], *, limit: int, body: Callable[[Row], Any], cursor: Callable[[Row], str]) -> Response:
    """The answer of a list. `rows` are read with one more than `limit`, which tells that there is another page."""
    shown = rows[:limit]
    following = cursor(shown[-1]) if len(rows) > limit else None
    return Response(page_body([body(row) for row in shown], next_cursor=following))


@functools.cache
def page_of(item: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The page's shape, for the schema."""
    name = item.__name__.removesuffix("Serializer")
    return inline_serializer(
        f"{name}Page",
        fields={
            "items": item(many=True),
            "next_cursor": serializers.CharField(
                allow_null=True, help_text="Send it as `cursor` to get the next page; null on the last one."
            ),
        },
    )
