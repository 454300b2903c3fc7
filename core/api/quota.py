"""
How often one caller may call: a fixed window of a minute, counted in Redis for all processes.

While Redis is away every process counts on its own and allows only a part (HUB_API_QUOTA_LOCAL_PART), so that losing Redis
never means more calls than before. Real time, not the development clock: this protects machines.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.api.access import Caller
from core.http import client_address

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
# After a failure Redis is left alone for this long: a dead one must not slow every call down.
REST_SECONDS = 5.0


@dataclass(frozen=True)
class Usage:
    name: str
    limit: int
    used: int
    reset_seconds: int

    @property
    def allowed(self) -> bool:
        return self.used <= self.limit

    def headers(self) -> dict[str, str]:
        """The fields of the IETF draft (RateLimit, RateLimit-Policy) and the three older ones that most clients read."""
        remaining = max(0, self.limit - self.used)
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.name}";r={remaining};t={self.reset_seconds}',
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class _Local:
    """Counts of this process for the current window only."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.window = 0
        self.counts: dict[str, int] = {}

    def count(self, key: str, window: int) -> int:
        with self.lock:
            if window != self.window:
                self.window, self.counts = window, {}
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key]


_local = _Local()
_rests_until = 0.0


def spend(key: str, *, name: str, limit: int) -> Usage:
    """Count one call of `key` and say how many are left."""
    moment = time.time()
    window = int(moment) // WINDOW_SECONDS
    reset = WINDOW_SECONDS - int(moment) % WINDOW_SECONDS
    used = _count_shared(f"{key}:{window}")
    if used is None:
        return Usage(name, max(1, limit // settings.HUB_API_QUOTA_LOCAL_PART), _local.count(key, window), reset)
    return Usage(name, limit, used, reset)


def _count_shared(key: str) -> int | None:
    global _rests_until
    if not settings.REDIS_URL or time.monotonic() < _rests_until:
        return None
    cache = caches["quota"]
    try:
        if cache.add(key, 1, timeout=2 * WINDOW_SECONDS):
            return 1
        return int(cache.incr(key))
    except ValueError:
        # Gone between the two calls: the window is over.
        return 1
    except Exception:  # whatever the client library raises when Redis is away
        _rests_until = time.monotonic() + REST_SECONDS
        log.warning("quota.redis_away")
        return None


class QuotaThrottle(BaseThrottle):
    """By person (or by application, for its own credentials); anonymous calls by address."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self.usage = self._usage(request)
        # The view puts it on the answer, whatever the answer is.
        view.quota_usage = self.usage
        return self.usage.allowed

    def wait(self) -> float:
        return float(self.usage.reset_seconds)

    @staticmethod
    def _usage(request: Request) -> Usage:
        caller = request.auth
        if isinstance(caller, Caller):
            return spend(caller.key, name="person", limit=settings.HUB_API_QUOTA_PERSON)
        return spend(f"address:{client_address(request._request)}", name="anonymous", limit=settings.HUB_API_QUOTA_ANONYMOUS)
