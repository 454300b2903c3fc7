"""From a request's body or query to checked values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.errors import HubError, InputInvalid


class BodyTooLarge(HubError):
    code = "body_too_large"
    http_status = 413
    default_message = _("The body is too large.")


class JsonParser(JSONParser):
    """JSON in UTF-8 and nothing that only Python's reader takes: no NaN, no half characters, no endless nesting."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw = stream.read(settings.HUB_API_BODY_MAX + 1)
        if len(raw) > settings.HUB_API_BODY_MAX:
            raise BodyTooLarge(limit_bytes=settings.HUB_API_BODY_MAX)
        try:
            data = json.loads(raw.decode("utf-8"), parse_constant=self._no_constant)
            # "\ud800" is half a character: it parses, but no database takes it.
            json.dumps(data, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError):
            raise ParseError(_("The body is not valid JSON."), code="json_invalid") from None
        return data

    @staticmethod
    def _no_constant(name: str) -> Any:
        raise ValueError(name)


class AlwaysJson(BaseContentNegotiation):
    """The API speaks JSON, whatever a client says it accepts."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        kind = (request.content_type or "").split(";", 1)[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


def parse(serializer_class: type[serializers.Serializer[Any]], request: Request, *, query: bool = False) -> dict[str, Any]:
    """
    The checked input.

    :raises rest_framework.exceptions.ValidationError: with every field's errors.
    :raises InputInvalid: the body is not a JSON object.
    """
    data = request.query_params if query else request.data
    if not query and not isinstance(data, dict):
        raise InputInvalid()
    serializer = serializer_class(data=data, context={"request": request})
    serializer.is_valid(raise_exception=True)
    validated: dict[str, Any] = serializer.validated_data
    return validated
