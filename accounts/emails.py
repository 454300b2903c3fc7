"""One spelling per e-mail address, so that variants of it are one person and share one limit."""

from __future__ import annotations

import unicodedata


def email_canonical(text: str) -> str:
    """
    The form an address is stored, looked up and written to in: NFKC, lower case, an ASCII domain (IDNA).

    Mail goes to this form and never to what was typed: an address that only *looks* like somebody's
    would otherwise receive that somebody's codes.
    Text that is no address comes back merely folded; checking the shape is the form's work.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).casefold())
    local, at, domain = folded.rpartition("@")
    if not at:
        return folded
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return folded
    return f"{local}@{domain.lower()}"
