"""Structured logs without secrets: JSON lines in production, readable lines elsewhere."""

from __future__ import annotations

import logging.config
import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_HIDDEN_KEYS = re.compile(r"(password|token|secret|code$|authorization|cookie|iban|card|otp|email|to_address|name$)", re.IGNORECASE)
_KEPT_KEYS = {"event_name", "logger_name", "status_code", "url_name", "exc_name", "error_code", "process_name"}
# What may slip into a message: e-mail addresses, card numbers, IBANs, bearer tokens, long one-time secrets.
_HIDDEN_TEXT = [
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[e-mail]"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), "[iban]"),
    (re.compile(r"\b\d(?:[ -]?\d){12,18}\b"), "[card]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 [token]"),
    (re.compile(r"\b(sk|rk|whsec|pk)_\w+"), "[key]"),
    (re.compile(r"(?i)\b(access_token|token|code|secret|password|key|signature)=[^&\s'\"]+"), r"\1=[hidden]"),
    # PostgreSQL quotes the row that it refuses.
    (re.compile(r"DETAIL: .*"), "DETAIL: [hidden]"),
]


def redact(text: str) -> str:
    for pattern, replacement in _HIDDEN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if not key.startswith("_"):  # the pipeline's own
            event[key] = _redacted(key, value)
    return event


def _redacted(key: str, value: Any) -> Any:
    if key not in _KEPT_KEYS and _HIDDEN_KEYS.search(key):
        return "[hidden]"
    if isinstance(value, dict):
        return {inner: _redacted(str(inner), item) for inner, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_redacted("", item) for item in value]
    if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 10**12):
        return value
    return redact(str(value))


def configure(*, json_lines: bool, level: str) -> None:
    """One pipeline for our loggers and everybody else's."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    renderer: Processor = structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    config: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "hub": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "hub"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            # Their own lines repeat ours, or print request lines with query strings.
            "django.server": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "urllib3": {"level": "WARNING"},
            "stripe": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
        },
    }
    logging.config.dictConfig(config)
