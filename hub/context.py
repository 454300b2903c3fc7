"""What every page's shell needs to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.models import Person
from engagement.notifications.selectors import unread_count

# Which of the five places of the bar a page belongs to, by the first part of its path.
SECTIONS = {
    "": "home",
    "wallets": "home",
    "activity": "activity",
    "pay": "pay",
    "approve": "pay",
    "plan": "plan",
    "more": "more",
    "notices": "notices",
    "auth": "more",
}


def hub(request: HttpRequest) -> dict[str, Any]:
    person = getattr(request, "user", None)
    return {
        "hub_name": settings.HUB_NAME,
        "theme": getattr(person, "theme", "") or "system",
        "section": SECTIONS.get(request.path.split("/")[1] if "/" in request.path else "", ""),
        # Asked only where the bell is shown.
        "notices_unread": lambda: unread_count(person) if isinstance(person, Person) else 0,
        "languages": settings.LANGUAGES,
        "hub_time_zone": settings.HUB_TIME_ZONE,
        # Only the development runtime sets it: the pretend outside world with its inbox.
        "sandbox_url": settings.SANDBOX_URL,
    }
