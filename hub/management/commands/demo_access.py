"""
Print who can sign in to the demo (development only): passwords, the codes that staff need now, and what the tour of the API
begins with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings

from accounts.models.factors import STEP_SECONDS, TotpDevice
from core import clock
from core.management.output import HubCommand
from hub.demo.access import Access


class Command(HubCommand):
    help = (__doc__ or "").strip()

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            self.fail("The demo is for development.", code=2)
        from hub import demo

        access = demo.access_read()
        if access is None:
            self.fail("The demo is not loaded; `make run` loads it.", code=1)
        if options["json"]:
            self.say(asdict(access), as_json=True)
        else:
            self.stdout.write("\n".join(lines(access)))


def lines(access: Access) -> Iterator[str]:
    yield f"People, at {settings.HUB_PUBLIC_URL}"
    for row in access.people:
        yield f"  {row['email']:<18}  password {row['password']}  @{row['handle']}"
    # A phone does not know of a moved clock, so neither do the codes. One is taken until the next one has passed.
    now = clock.real()
    left = 2 * STEP_SECONDS - int(now.timestamp()) % STEP_SECONDS
    yield f"\nStaff, at {settings.HUB_PUBLIC_URL}/admin/ (each code works once, within {left} seconds)"
    for row in access.staff:
        code = TotpDevice(seed=row["totp_secret"]).code_at(now)
        yield f"  {row['email']:<18}  password {row['password']}  code {code}  {', '.join(row['groups'])}"
    yield "  Or put these into an authenticator app:"
    for row in access.staff:
        yield f"  {row['email']:<18}  {row['totp_secret']}"
    yield "\nFor the tour of the API (docs/api.md)"
    yield f"  export HUB={settings.HUB_PUBLIC_URL} SANDBOX={settings.SANDBOX_URL}"
    yield f"  export CLIENT_ID={access.partner.get('client_id', '')}"
    yield f"  export CLIENT_SECRET={access.partner.get('client_secret', '')}"
