"""Reading safeguarding reports."""

from __future__ import annotations

from wallets.safeguarding.models import SafeguardingPlace, SafeguardingReport


def newest() -> SafeguardingReport | None:
    return SafeguardingReport.objects.order_by("-on").first()


def differences(report: SafeguardingReport) -> dict[tuple[str, str], int]:
    """By (currency, provider): what differs; provider "" is people's money as a whole, in the ledger."""
    found = {(line.currency, ""): line.difference for line in report.lines.order_by("currency")}
    for place in report.places.exclude(state=SafeguardingPlace.State.WAITING).order_by("currency", "provider"):
        if place.difference is not None:
            found[place.currency, place.provider] = place.difference
    return found
