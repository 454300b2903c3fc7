"""
What there is to tell, sorted into topics that a person can choose for.

A topic says which members of a business or household hear of it (`role` and the ranks above it), and by which channels
when nobody has chosen. `always` topics are about safety and cannot be switched off.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership


class Topic(models.TextChoices):
    RECEIVED = "received", _("Money received")
    BILL_PAID = "bill_paid", _("Bill paid")
    BILL_FAILED = "bill_failed", _("Bill not paid")
    HELD = "held", _("Payment held")
    TOP_UP_FAILED = "top_up_failed", _("Top-up failed")
    APPROVAL = "approval", _("Approval needed")
    NEW_DEVICE = "new_device", _("Sign-in from a new device")
    ACCOUNT = "account", _("Changes to your account")


class Channel(models.TextChoices):
    IN_APP = "in_app", _("Here in the hub")
    EMAIL = "email", _("By e-mail")


@dataclass(frozen=True, slots=True)
class About:
    hint: str | Promise
    role: str
    always: bool = False


ABOUT: dict[Topic, About] = {
    Topic.RECEIVED: About(_("Somebody paid you, or a payment was returned."), Membership.Role.VIEWER),
    Topic.BILL_PAID: About(_("A bill was paid as planned."), Membership.Role.VIEWER),
    Topic.BILL_FAILED: About(_("A bill could not be paid, or is tried again."), Membership.Role.MEMBER),
    Topic.HELD: About(_("A payment waits for a check, and what came of it."), Membership.Role.MEMBER),
    Topic.TOP_UP_FAILED: About(_("Money you put in did not arrive."), Membership.Role.MEMBER),
    Topic.APPROVAL: About(_("A payment waits for your word for more than two minutes."), Membership.Role.MEMBER),
    Topic.NEW_DEVICE: About(_("Somebody signed in as you where nobody did before."), Membership.Role.OWNER, always=True),
    Topic.ACCOUNT: About(
        _("Password, e-mail address, level, who may act for you, partners with access."), Membership.Role.ADMIN, always=True
    ),
}
