"""What identity data are refused for, each at its field."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import Forbidden, HubError, InputInvalid


class NameIncomplete(InputInvalid):
    code = "legal_name_invalid"
    default_field = "legal_name"
    default_message = _("Write your whole name as it stands in your document.")


class BirthDateImpossible(InputInvalid):
    code = "birth_date_impossible"
    default_field = "birth_date"
    default_message = _("Nobody living was born on this day. Check the year.")


class TooYoung(InputInvalid):
    """`extra` has the age that is needed."""

    code = "too_young"
    default_field = "birth_date"
    default_message = _("You need to be 18 for this level. Until then you keep the limits you have.")


class CountryUnknown(InputInvalid):
    code = "country_unknown"
    default_field = "country"
    default_message = _("Choose a country from the list.")


class AddressInvalid(InputInvalid):
    code = "address_invalid"
    default_field = "street"
    default_message = _("Write the address at which you live.")


class DocumentKindUnknown(InputInvalid):
    code = "document_kind_unknown"
    default_field = "document_kind"
    default_message = _("Choose one of the documents.")


class DocumentNumberInvalid(InputInvalid):
    """No number of this kind and country looks like that."""

    code = "document_number_invalid"
    default_field = "document_number"
    default_message = _("This cannot be the number: check every digit against your document.")


class BirthDateContradicts(InputInvalid):
    """The number carries another birth date than the one given."""

    code = "birth_date_contradicts"
    default_field = "document_number"
    default_message = _("The birth date in this number is not the one you gave above. Check both.")


class TooManySubmissions(HubError):
    code = "too_many_submissions"
    http_status = 429
    default_message = _("You have sent your details several times today. Try again tomorrow, or ask support.")


class NotAPerson(Forbidden):
    """Businesses and households have no birth date."""

    code = "not_a_person"
    default_message = _("Identity details belong to a person's own account.")


class NotWaiting(HubError):
    code = "identity_not_waiting"
    http_status = 409
    default_message = _("These details were replaced or decided already.")
