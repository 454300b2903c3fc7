"""Second factors. django-otp is the only store of them; seeds are encrypted at rest."""

from __future__ import annotations

import secrets
from base64 import b32decode, b32encode
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from core import clock
from core.crypto import EncryptedTextField
from core.ids import uuid7

STEP_SECONDS = 30
DIGITS = 6
# One step to either side: phones are up to half a minute wrong.
TOLERANCE = 1


def seed_new() -> str:
    """160 bits in base32, as authenticator apps take them (RFC 4226, 4)."""
    return b32encode(secrets.token_bytes(20)).decode()


class TotpDevice(ThrottlingMixin, Device):
    """
    An authenticator app.

    `last_step` is the newest time step that was accepted: a code is good once, even when two requests bring it at the
    same time, because django-otp locks the row before it asks.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    seed = EncryptedTextField(owner="user.party_id")
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(last_step__gte=-1), name="accounts_totp_step"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def persistent_id(self) -> str:
        # django-otp reads the part behind the slash with int().
        return f"{self.model_label()}/{self.id.int}"

    def get_throttle_factor(self) -> int:
        return 1

    def verify_token(self, token: Any) -> bool:
        allowed, _why = self.verify_is_allowed()
        if not allowed:
            return False
        # The other side of this clock is a phone, which a moved development clock does not move.
        return self.code_accept(str(token), clock.real())

    def code_accept(self, code: str, now: datetime) -> bool:
        """True once per code; the caller holds the row's lock."""
        step = self._step_of(code, now)
        if step is None:
            self.throttle_increment()
            return False
        self.last_step = step
        self.throttle_reset(commit=False)
        self.save(update_fields=["last_step", "throttling_failure_timestamp", "throttling_failure_count"])
        return True

    def _step_of(self, code: str, now: datetime) -> int | None:
        digits = "".join(character for character in code if not character.isspace())
        if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
            return None
        totp = TOTP(b32decode(self.seed), STEP_SECONDS, 0, DIGITS)
        totp.time = now.timestamp()
        for drift in range(-TOLERANCE, TOLERANCE + 1):
            totp.drift = drift
            if totp.t() > self.last_step and secrets.compare_digest(f"{totp.token():0{DIGITS}d}", digits):
                return int(totp.t())
        return None

    def code_at(self, now: datetime) -> str:
        """The code an authenticator app would show; for tests and the development demo."""
        totp = TOTP(b32decode(self.seed), STEP_SECONDS, 0, DIGITS)
        totp.time = now.timestamp()
        return f"{totp.token():0{DIGITS}d}"

    @property
    def setup_uri(self) -> str:
        label = quote(f"{settings.HUB_NAME}:{self.user.email}")
        query = urlencode({"secret": self.seed, "issuer": settings.HUB_NAME, "digits": DIGITS, "period": STEP_SECONDS})
        return f"otpauth://totp/{label}?{query}"
