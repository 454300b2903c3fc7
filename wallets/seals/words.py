"""What the kinds of movements are called on people's pages."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_LABELS: dict[str, str | Promise] = {
    "posted": _("Moved"),
    "pending": _("Set aside"),
    "capture": _("Moved from what was set aside"),
    "void": _("Given back"),
    "reversal": _("Taken back"),
}


def kind_label(kind: str) -> str | Promise:
    return _LABELS.get(kind, kind)
