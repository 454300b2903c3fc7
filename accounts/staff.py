"""The staff's door: password and authenticator code, asked together and refused alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import django_otp
from allauth.account.adapter import get_adapter
from csp.decorators import csp_update
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite

from accounts.forms import EmailField, PasswordField
from accounts.models import Person, TotpDevice
from core import audit


class StaffSignInForm(forms.Form):
    """
    Django's admin expects `username` and `get_user`. One message for every refusal: which part was wrong is nobody's
    business at this door. Wrong tries count against the address (allauth's counters) and the device (its own throttle).
    """

    username = EmailField()
    password = PasswordField(label=_("Password"), autocomplete="current-password")
    code = forms.CharField(
        label=_("Code from your authenticator app"),
        max_length=16,
        error_messages={"required": _("Enter the six digits that your authenticator app shows.")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    error_messages = {"refused": _("The e-mail address, the password or the code is wrong.")}

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        self.request = request
        self.person: Person | None = None
        super().__init__(*args, **kwargs)

    def get_user(self) -> Person | None:
        return self.person

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            person = get_adapter().authenticate(self.request, email=data["username"], password=data["password"])
            device = self._device_of(person, data["code"]) if person and person.is_active and person.is_staff else None
            if person is None or device is None:
                self._note_refusal(person)
                raise ValidationError(self.error_messages["refused"], code="refused")
            # django-otp keeps the device in the session when the person is logged in.
            person.otp_device = device
            self.person = person
        return data

    @staticmethod
    def _device_of(person: Person, code: str) -> TotpDevice | None:
        for device in TotpDevice.objects.filter(user=person, confirmed=True).order_by("id"):
            verified: TotpDevice | None = django_otp.verify_token(person, device.persistent_id, code)
            if verified is not None:
                return verified
        return None

    @staticmethod
    def _note_refusal(person: Person | None) -> None:
        if person is not None:
            audit.record("accounts.staff.refused", actor=person, party_id=person.party_id, object_type="person", object_id=person.id)


# The admin's own scripts write HTML as text: one script before them sets a default policy that refuses scripts in it.
# People's pages have no such policy.
_admin_scripts = csp_update({"trusted-types": ["default"]})


class StaffSite(OTPAdminSite):
    site_title = _("Staff")
    site_header = _("Staff")
    index_title = _("Overview")
    login_form = StaffSignInForm
    login_template = "admin/sign_in.html"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """
        Leave out what packages bring for addresses and tokens: there a look leaves no trace, and a token could be read.
        """
        models: list[Any] = list(model_or_iterable) if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        kept = [model for model in models if model._meta.app_label not in ("account", "oauth2_provider")]
        if kept:
            super().register(kept, admin_class, **options)

    def admin_view(self, view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Callable[..., HttpResponseBase]:
        allowed: Callable[..., HttpResponseBase] = _admin_scripts(super().admin_view(view, cacheable))
        return allowed

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        view: Callable[..., Any] = _admin_scripts(super().login)
        response: HttpResponse = view(request, extra_context)
        return response
