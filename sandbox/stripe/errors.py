from typing import Any

Json = dict[str, Any]


class StripeError(Exception):
    """
    An answer in Stripe's error shape.

    `kept` says whether the answer is stored under the idempotency key: Stripe keeps what execution answered,
    not what was refused before it began (bad parameters, a key in use, too many requests).
    """

    status = 400
    type = "invalid_request_error"
    kept = False

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.extra = extra

    def body(self) -> Json:
        error: Json = {"message": self.message, "type": self.type, **self.extra}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://docs.stripe.com/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


class ParamInvalid(StripeError):
    """A parameter is missing, unknown or malformed; nothing was executed."""


class RequestRefused(StripeError):
    """Execution began and found that the state forbids it."""

    kept = True


class Unauthorized(StripeError):
    status = 401


class ResourceMissing(StripeError):
    status = 404
    kept = True

    def __init__(self, kind: str, object_id: str, *, param: str = "id") -> None:
        super().__init__(f"No such {kind}: '{object_id}'", code="resource_missing", param=param)


class UrlUnknown(StripeError):
    status = 404


class IdempotencyMismatch(StripeError):
    type = "idempotency_error"


class IdempotencyInUse(StripeError):
    status = 409
    type = "idempotency_error"


class RateLimited(StripeError):
    status = 429


class ServerError(StripeError):
    status = 500
    type = "api_error"
    kept = True
