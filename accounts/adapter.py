"""Where allauth (identity) meets the hub: canonical addresses, mails through core.mail, codes, audit."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.emails import email_canonical
from accounts.errors import EmailInvalid
from accounts.models import Person
from accounts.values import email_checked
from core.http import client_address
from core.mail import mail_send


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is closed."),
        "email_password_mismatch": _("The e-mail address or the password is wrong. Check both and try again."),
        "incorrect_code": _("This is not the code we sent. Check the newest mail and try again."),
        "incorrect_password": _("This is not your password. Try again."),
        "enter_current_password": _("This is not your current password. Try again."),
        "too_many_login_attempts": _("Too many wrong tries. Wait a few minutes, then start again."),
        "rate_limited": _("We just sent a code. Wait a little before you ask for another one."),
        "duplicate_email": _("This is already your e-mail address."),
        "email_taken": _("This e-mail address cannot be used."),
    }

    def clean_email(self, email: str) -> str:
        try:
            return email_checked(email)
        except EmailInvalid as error:
            from django.core.exceptions import ValidationError

            raise ValidationError(str(error.message), code=error.code) from None

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or "unknown"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # One counter for all spellings of an address, in a form that says nothing about it.
        return f"login:{email_canonical(credentials.get('email') or credentials.get('username') or '')}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render one text; its simple HTML twin is made from the same paragraphs. Sent by a worker, encrypted until then."""
        to = email_canonical(email)
        context = {**context, "email": to, "hub_name": settings.HUB_NAME, "public_url": settings.HUB_PUBLIC_URL}
        subject = " ".join(render_to_string(f"{template_prefix}_subject.txt", context).split())
        text = render_to_string(f"{template_prefix}_message.txt", context).strip()
        paragraphs = [block.strip() for block in text.split("\n\n") if block.strip()]
        html = render_to_string("account/email/base_message.html", {**context, "subject": subject, "paragraphs": paragraphs})
        person = Person.objects.filter(email=to).only("party_id").first()
        with transaction.atomic():
            mail_send(to=to, subject=subject, body_text=text + "\n", body_html=html, party_id=person.party_id if person else None)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("more")

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return reverse("more") if self.request.user.is_authenticated else reverse("account_login")
