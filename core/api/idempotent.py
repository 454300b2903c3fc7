"""The Idempotency-Key header on API writes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core import idempotency
from core.api.problems import CONTENT_TYPE, exception_handler


def key_of(request: Request) -> str:
    """
    :raises IdempotencyKeyMissing, IdempotencyKeyInvalid: no usable header.
    """
    return idempotency.key_check(request.headers.get("Idempotency-Key"))


def idempotent(method: Callable[..., Response]) -> Callable[..., Response]:
    """
    Wrap an APIView method that moves money: the first answer below 500, refusals included, is stored and replayed with
    `Idempotent-Replayed: true`.
    """

    @functools.wraps(method)
    def wrapped(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = key_of(request)
        asked = idempotency.request_hash(request.method, request.get_full_path(), request.data)
        row, first = idempotency.begin(client=request.auth.key, key=key, asked=asked)
        if first is not None:
            kind = CONTENT_TYPE if first.status >= 400 else None
            return Response(first.body, status=first.status, headers={"Idempotent-Replayed": "true"}, content_type=kind)
        try:
            response = method(view, request, *args, **kwargs)
        except Exception as error:
            answer = exception_handler(error, {})
            if answer is None:
                idempotency.release(row)
                raise
            if answer.status_code in (401, 403, 413, 415, 429):
                # About the caller or the wire, not about what was asked.
                idempotency.release(row)
                raise
            response = answer
        # As it is sent: ids, dates and lazy texts are plain JSON by then.
        idempotency.finish(row, idempotency.Answer(response.status_code, json.loads(JSONRenderer().render(response.data) or b"null")))
        return response

    wrapped.idempotent = True  # type: ignore[attr-defined]
    return wrapped
