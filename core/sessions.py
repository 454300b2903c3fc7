"""Session payloads are encrypted at rest: allauth keeps one-time codes and e-mail addresses in them."""

from __future__ import annotations

from typing import Any

from django.core.signing import BadSignature, JSONSerializer

from core import crypto

_CONTEXT = "django_session"


class EncryptedSerializer:
    """JSON under the system's data key. A payload that does not open is an empty session, as a forged one is."""

    def dumps(self, obj: Any) -> bytes:
        return crypto.seal(JSONSerializer().dumps(obj).decode("latin-1"), context=_CONTEXT)

    def loads(self, data: bytes) -> Any:
        try:
            return JSONSerializer().loads(crypto.unseal(data, context=_CONTEXT).encode("latin-1"))
        except crypto.CryptoError as error:
            raise BadSignature("the session payload does not open") from error
