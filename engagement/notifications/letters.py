"""A notice as a mail: one text, and a simple HTML twin made of the same paragraphs."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from core.mail import mail_send
from engagement.notifications.models import Notice
from engagement.notifications.words import views_of


def letter_send(notice: Notice) -> None:
    """Queue the mail, in the language and time zone in force. The event, person and kind name it, so it is queued once."""
    [view] = views_of(notice.person, [notice])
    subject = view.words.sentence.text
    paragraphs = [
        f"{view.party_name}: {subject}" if view.party_name else subject,
        str(view.words.sub),
        settings.HUB_PUBLIC_URL + (view.words.href or reverse("notices")),
        _("You choose which mails you get under More, Notices: {address}").format(
            address=settings.HUB_PUBLIC_URL + reverse("notice_preferences")
        ),
    ]
    paragraphs = [paragraph for paragraph in paragraphs if paragraph]
    text = "\n\n".join([*paragraphs, f"{settings.HUB_NAME}\n{settings.HUB_PUBLIC_URL}"])
    html = render_to_string(
        "account/email/base_message.html", {"subject": subject, "paragraphs": paragraphs, "hub_name": settings.HUB_NAME}
    )
    mail_send(
        to=notice.person.email,
        subject=subject,
        body_text=text + "\n",
        body_html=html,
        party_id=notice.person.party_id,
        run_key=f"notice:{notice.source_id}:{notice.person_id}:{notice.kind}",
    )
