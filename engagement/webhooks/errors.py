"""What the API of webhooks refuses."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import Forbidden, HubError, InputInvalid


class AddressForbidden(InputInvalid):
    """Not an https address on the public internet; `extra["why"]` is a code."""

    code = "webhook_address_forbidden"
    default_field = "url"
    default_message = _("Give an https address that anybody on the internet can reach.")


class EventTypeUnknown(InputInvalid):
    code = "event_type_unknown"
    default_field = "events"
    default_message = _("There is no such event type.")


class EndpointsTooMany(HubError):
    code = "webhook_endpoints_too_many"
    http_status = 409
    default_message = _("A partner can have at most ten endpoints.")


class EndpointDisabled(HubError):
    code = "webhook_endpoint_disabled"
    http_status = 409
    default_message = _("This endpoint is switched off. Switch it on first.")


class OwnCredentialsRequired(Forbidden):
    """Endpoints belong to a program, not to a person who lets it in."""

    code = "own_credentials_required"
    default_message = _("Use your application's own credentials for this.")
