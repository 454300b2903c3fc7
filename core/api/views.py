"""The base of every API view: counted, scoped to who asks, never cached."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.quota import Usage
from core.db import scope


class ApiView(APIView):
    """
    `tag` groups the operations in the documentation; `scopes` names the scope that each method needs; `ways_in` says in the
    documentation with which kinds of token it can be called (the names of its security schemes).
    """

    tag: ClassVar[str] = ""
    scopes: ClassVar[dict[str, str]] = {}
    # Statuses of problems that a GET has beside those every GET has.
    read_problems: ClassVar[tuple[str, ...]] = ()
    ways_in: ClassVar[tuple[str, ...]] = ("oauth2", "sessionToken")
    quota_usage: Usage | None = None
    _stack: ExitStack

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._stack:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._stack.enter_context(scope(self.scope_for(request)))

    def scope_for(self, request: Request) -> UUID | str | None:
        """Who the database is told is asking."""
        return None

    def perform_authentication(self, request: Request) -> None:
        """A call is counted before anything can refuse it: guessing tokens costs quota too."""
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            super().check_throttles(request)
            raise
        super().check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        """Done by perform_authentication."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.setdefault("Cache-Control", "no-store")
        if self.quota_usage is not None:
            for name, value in self.quota_usage.headers().items():
                response[name] = value
        return response

    # OPTIONS would describe views to strangers; the schema does that.
    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        return self.http_method_not_allowed(request, *args, **kwargs)


class UnknownRouteView(ApiView):
    """Whatever else begins with /api/: a problem document, not a page."""

    authentication_classes = []
    permission_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404
