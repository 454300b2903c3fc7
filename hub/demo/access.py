"""Who can sign in to the demo, kept in the state folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings


@dataclass
class Access:
    """Who can sign in, as `demo_access` prints it."""

    people: list[dict[str, str]] = field(default_factory=list)
    staff: list[dict[str, Any]] = field(default_factory=list)
    partner: dict[str, str] = field(default_factory=dict)


def _file() -> Path:
    return Path(settings.HUB_STATE_DIR) / "demo.json"


def access_read() -> Access | None:
    try:
        return Access(**json.loads(_file().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def access_write(access: Access) -> None:
    _file().parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(asdict(access), stream, indent=1)
