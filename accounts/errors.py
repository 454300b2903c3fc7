"""Refusals of this app. Each says what a person can do about it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import HubError, InputInvalid, NotFound


class EmailTaken(HubError):
    """The address belongs to somebody; only ever shown to staff and tests, never at sign-up."""

    code = "email_taken"
    http_status = 409
    default_field = "email"
    default_message = _("This e-mail address is already in use.")


class EmailInvalid(InputInvalid):
    code = "email_invalid"
    default_field = "email"
    default_message = _("Enter an e-mail address like name@example.com.")


class NameInvalid(InputInvalid):
    code = "name_invalid"
    default_field = "name"
    default_message = _("Enter a name of at most 100 characters.")


class LanguageUnknown(InputInvalid):
    code = "language_unknown"
    default_field = "language"
    default_message = _("Choose one of the languages in the list.")


class TimeZoneUnknown(InputInvalid):
    code = "time_zone_unknown"
    default_field = "time_zone"
    default_message = _("Choose one of the time zones in the list.")


class ThemeUnknown(InputInvalid):
    code = "theme_unknown"
    default_field = "theme"
    default_message = _("Choose one of the themes in the list.")


class HandleInvalid(InputInvalid):
    code = "handle_invalid"
    default_field = "handle"
    default_message = _("A handle has 3 to 30 characters: a to z, 0 to 9, underscores and single dots inside.")


class HandleTaken(HubError):
    """Somebody has, or once had, this handle. Handles are never passed on: money meant for one would reach the other."""

    code = "handle_taken"
    http_status = 409
    default_field = "handle"
    default_message = _("This handle is taken. Choose another one.")


class PayeeUnknown(NotFound):
    code = "payee_unknown"
    default_field = "payee"
    default_message = _("We could not find anybody with this e-mail address or handle. Check the spelling.")


class PayeeClosed(HubError):
    code = "payee_closed"
    http_status = 409
    default_field = "payee"
    default_message = _("This person has closed their account and cannot be paid.")


class PayeeOwn(HubError):
    code = "payee_is_self"
    http_status = 422
    default_field = "payee"
    default_message = _("This is you. Choose somebody else to pay.")


class RoleForbidden(HubError):
    code = "role_forbidden"
    http_status = 403
    default_message = _("Your role does not allow this.")


class MembershipUnknown(NotFound):
    code = "membership_unknown"
    default_message = _("We could not find this membership.")


class LastOwner(HubError):
    code = "last_owner"
    http_status = 409
    default_message = _("Somebody has to stay its owner. Name another owner first.")


class AlreadyMember(HubError):
    code = "already_member"
    http_status = 409
    default_message = _("This person is already a member.")


class PartyClosed(HubError):
    code = "party_closed"
    http_status = 409
    default_message = _("This account is closed.")


class TermsRequired(HubError):
    code = "terms_required"
    http_status = 422
    default_field = "terms"
    default_message = _("Accept the terms to go on.")


class AccountNotEmpty(HubError):
    """`reasons` lists what has to happen first, in the person's language."""

    code = "account_not_empty"
    http_status = 409
    default_message = _("Your account cannot be closed yet.")


class PasswordWrong(HubError):
    code = "password_wrong"
    http_status = 403
    default_field = "password"
    default_message = _("This is not your password. Try again.")


class ApprovalInvalid(HubError):
    """The approval does not cover this action: unknown, of another person, unconfirmed, used, void, or for something else."""

    code = "approval_invalid"
    http_status = 409
    default_message = _("This approval is not valid. Start again.")


class ApprovalExpired(ApprovalInvalid):
    code = "approval_expired"
    default_message = _("This approval is older than five minutes. Start again.")


class ApprovalUsed(ApprovalInvalid):
    code = "approval_used"
    default_message = _("This approval was already used.")


class ApprovalMismatch(ApprovalInvalid):
    """The amount, the payee or another detail changed after the person approved."""

    code = "approval_mismatch"
    default_message = _("What you approved has changed, so the approval is void. Start again.")


class ApprovalVoid(ApprovalInvalid):
    code = "approval_void"
    default_message = _("This approval is void. Start again.")


class TriesExhausted(HubError):
    code = "too_many_tries"
    http_status = 429
    default_message = _("Too many wrong tries. Wait a while, then start again.")
