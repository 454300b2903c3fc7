"""E-mail leaves as due work: written in the transaction that has a reason for it, sent later by a worker."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet

from core import clock, due, privacy
from core.ids import uuid7
from core.models import DueWork


def mail_send(
    *, to: str, subject: str, body_text: str, body_html: str | None = None, party_id: UUID | None = None, run_key: str = ""
) -> DueWork:
    """
    Queue one mail. It goes out at least once; `run_key` (default: a new id) names the mail, so that queuing it twice
    sends it once, and becomes its Message-ID.
    """
    secret = json.dumps({"to": to, "subject": " ".join(subject.split()), "text": body_text, "html": body_html})
    return due.schedule("core.mail", run_key=run_key or str(uuid7()), due_at=clock.now(), secret=secret, party_id=party_id)


@due.worker("core.mail")
def mail_deliver(work: DueWork) -> datetime | None:
    mail = json.loads(work.secret)
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    message = EmailMultiAlternatives(
        subject=mail["subject"],
        body=mail["text"],
        to=[mail["to"]],
        headers={"Message-ID": f"<{work.id}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    if mail["html"]:
        message.attach_alternative(mail["html"], "text/html")
    message.send()
    return None


def _in_line(party_id: UUID) -> QuerySet[DueWork]:
    """Mails to the party that have not left; one that could not be sent keeps its text and address until somebody replays it."""
    left = [DueWork.State.WAITING, DueWork.State.DEAD]
    return DueWork.objects.filter(kind="core.mail", state__in=left, data__party_id=str(party_id))


def export_mail(party_id: UUID) -> list[dict[str, str]]:
    return [{"queued_at": row.created_at.isoformat(), "state": row.state} for row in _in_line(party_id).order_by("created_at", "id")]


def erase_mail(party_id: UUID, now: datetime) -> None:
    _in_line(party_id).update(state=DueWork.State.CANCELLED, secret=b"", lease_until=None, done_at=now)


privacy.register("core.mail", export=export_mail, erase=erase_mail, retention="Until the mail has left; then its text is forgotten.")
