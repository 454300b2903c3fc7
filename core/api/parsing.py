"""From a request's body or query to checked values."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from core.errors import InputInvalid


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
