"""What runs now, from the state folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.runtime import bootstrap
from hub.runtime.processes import Identity
from hub.runtime.state import State


def status(environ: Mapping[str, str]) -> dict[str, Any]:
    """`{"url", "ready", "processes": [{"name", "pid"}]}`; url is None when nothing runs."""
    state = State.chosen(environ)
    record = state.run_record()
    supervisor = state.supervisor()
    listed: list[tuple[str, Identity | None]] = [("supervisor", supervisor)] if supervisor else []
    listed += [(str(item.get("name")), Identity.from_record(item)) for item in record.get("processes", [])]
    processes = [{"name": name, "pid": identity.pid} for name, identity in listed if identity and identity.alive]
    url = record.get("url") if supervisor else None
    ready = bool(url) and record.get("phase") == "serving" and bootstrap.answers(str(url))
    return {"url": url, "ready": ready, "processes": processes}
