"""The shape of what people type. Saving is the services' work."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.internal import flows
from allauth.core import context
from allauth.core.internal import ratelimit
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import services, values
from accounts.emails import email_canonical
from accounts.errors import EmailTaken
from accounts.models import Person
from core import clock, formatting
from core.errors import HubError

# Wrong codes for one address, over all browsers: six digits are few enough to guess without it.
CODE_LIMITS = {"code": "15/h/key,40/d/key"}
_CODE_SESSIONS = ("account_email_verification_code", "account_password_reset_verification")


class EmailField(forms.EmailField):
    """Canonical before anything looks at it, so that every spelling of an address is one person and one limit."""

    widget = forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"})

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("E-mail address"))
        kwargs.setdefault("max_length", 254)
        kwargs.setdefault(
            "error_messages",
            {"required": _("Enter your e-mail address."), "invalid": _("Enter an e-mail address like name@example.com.")},
        )
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        return email_canonical(super().to_python(value) or "")


class PasswordField(forms.CharField):
    def __init__(self, *, label: Any, autocomplete: str, **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", {"required": _("Enter a password.")})
        super().__init__(
            label=label,
            strip=False,
            max_length=1000,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete, "spellcheck": "false"}),
            **kwargs,
        )


class NewPasswordField(PasswordField):
    """Checked against the person it is for: `user` is set by the form."""

    user: Person | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("New password"),
            autocomplete="new-password",
            help_text=_("At least 10 characters. Three or four unrelated words work well."),
            **kwargs,
        )

    def clean(self, value: Any) -> Any:
        password = super().clean(value)
        get_adapter().clean_password(password, user=self.user)
        return password


def _digits_only(text: str) -> str:
    return "".join(str(int(c)) if c.isdecimal() else c for c in text)


class CodeMixin:
    """The one-time code: six digits in any script, wrong tries counted per address in PostgreSQL."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = forms.CharField(
            label=_("Code"),
            max_length=32,
            help_text=_("Six digits."),
            error_messages={"required": _("Enter the code from the mail.")},
            widget=forms.TextInput(
                attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
            ),
        )

    def clean_code(self) -> str:
        request = context.request
        address = next((state["email"] for key in _CODE_SESSIONS if (state := request.session.get(key))), "unknown")
        usage = ratelimit.consume(request, app="allauth.account", action="code", config=CODE_LIMITS, key=email_canonical(address))
        if not usage:
            raise get_adapter().validation_error("too_many_login_attempts")
        self.cleaned_data["code"] = _digits_only(self.cleaned_data["code"])  # type: ignore[attr-defined]
        code: str = super().clean_code()  # type: ignore[misc]
        usage.rollback()
        return code


class ConfirmEmailCodeForm(CodeMixin, allauth_forms.ConfirmEmailVerificationCodeForm):
    pass


class ConfirmResetCodeForm(CodeMixin, allauth_forms.ConfirmPasswordResetCodeForm):
    pass


class SignInForm(allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = EmailField()
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"] = PasswordField(
            label=_("Password"), autocomplete="current-password", error_messages={"required": _("Enter your password.")}
        )
        self.order_fields(["login", "password"])


class SignUpForm(allauth_forms.SignupForm):
    """E-mail, password, name, currency and terms; language and time zone come from the browser."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=values.NAME_MAX,
        help_text=_("People who pay you see your first name and an initial."),
        error_messages={"required": _("Enter your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    home_currency = forms.ChoiceField(
        label=_("Home currency"), help_text=_("Your first wallet is in this currency. You can open others later.")
    )
    terms = forms.BooleanField(error_messages={"required": _("Accept the terms to open an account.")})
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput(attrs={"data-time-zone": ""}))
    field_order = ["time_zone", "email", "name", "password1", "home_currency", "terms"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        region = values.region_guess(context.request.META.get("HTTP_ACCEPT_LANGUAGE", "")) if context.request else None
        self.fields["email"] = EmailField()
        self.fields["password1"] = PasswordField(
            label=_("Password"),
            autocomplete="new-password",
            help_text=_("At least 10 characters. Three or four unrelated words work well."),
        )
        currency = self.fields["home_currency"]
        currency.choices = formatting.currency_choices(get_language() or "en")
        currency.initial = values.currency_guess(region, default=settings.HUB_REFERENCE_CURRENCY)
        self.fields["time_zone"].initial = values.time_zone_guess(region, default=settings.HUB_TIME_ZONE)
        self.fields["terms"].label = format_html(
            str(_('I accept the <a href="{}">terms of use</a> and have read the <a href="{}">privacy notice</a>.')),
            reverse("terms", args=["terms-of-use"]),
            reverse("terms", args=["privacy"]),
        )
        self.order_fields(self.field_order)

    def clean_name(self) -> str:
        return self._checked(values.name_checked, "name")

    def clean_time_zone(self) -> str:
        zone = self.cleaned_data["time_zone"]
        return zone if zone in values.time_zones() else settings.HUB_TIME_ZONE

    def _checked(self, check: Any, field: str) -> str:
        try:
            return str(check(self.cleaned_data[field]))
        except HubError as error:
            raise ValidationError(str(error.message), code=error.code) from None

    def clean(self) -> dict[str, Any]:
        # Past allauth's own clean, which knows no name: a password made of one's name is a bad one.
        cleaned: dict[str, Any] = super(allauth_forms.SignupForm, self).clean()
        password = cleaned.get("password1")
        if password:
            try:
                get_adapter().clean_password(password, user=Person(email=cleaned.get("email", ""), name=cleaned.get("name", "")))
            except ValidationError as error:
                self.add_error("password1", error)
        return cleaned

    def try_save(self, request: HttpRequest) -> Any:
        if self.account_already_exists:
            return self._as_if_new(request)
        try:
            return self.save(request), None
        except EmailTaken:
            # Two sign-ups for one address at the same moment: the second is told what any second one is told.
            return self._as_if_new(request)

    def _as_if_new(self, request: HttpRequest) -> Any:
        # A new account costs one password hash; the answer must not come sooner for a known address.
        Person().set_password(self.cleaned_data["password1"])
        return None, flows.signup.prevent_enumeration(request, email=self.cleaned_data["email"])

    def save(self, request: HttpRequest) -> Person:
        data = self.cleaned_data
        return services.person_sign_up(
            email=data["email"],
            password=data["password1"],
            name=data["name"],
            language=language_supported(get_language()),
            time_zone=data["time_zone"],
            home_currency=data["home_currency"],
            accept_terms=data["terms"],
            now=clock.now(),
        )


def language_supported(code: str | None) -> str:
    known = dict(settings.LANGUAGES)
    code = (code or settings.LANGUAGE_CODE).lower()
    return code if code in known else code.split("-")[0] if code.split("-")[0] in known else settings.LANGUAGE_CODE


class ResetPasswordForm(allauth_forms.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = EmailField()


class _NewPasswordOnceMixin:
    """One field for a new password: a second one catches typing errors that the reset by mail also mends."""

    fields: dict[str, forms.Field]
    user: Person | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("password2", None)
        field = NewPasswordField()
        field.user = self.user
        self.fields["password1"] = field


class ResetPasswordKeyForm(_NewPasswordOnceMixin, allauth_forms.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(_NewPasswordOnceMixin, allauth_forms.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"] = PasswordField(
            label=_("Current password"), autocomplete="current-password", error_messages={"required": _("Enter your current password.")}
        )
        self.order_fields(["oldpassword", "password1"])


class SetPasswordForm(_NewPasswordOnceMixin, allauth_forms.SetPasswordForm):
    pass


class ChangeEmailForm(allauth_forms.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = EmailField(label=_("New e-mail address"))


class ReauthenticateForm(allauth_forms.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = PasswordField(
            label=_("Password"), autocomplete="current-password", error_messages={"required": _("Enter your password.")}
        )


class PasswordForm(forms.Form):
    """Proof that it is still the person who signed in."""

    password = PasswordField(
        label=_("Your password"), autocomplete="current-password", error_messages={"required": _("Enter your password.")}
    )


class ProfileForm(forms.Form):
    name = forms.CharField(
        label=_("Your name"),
        max_length=values.NAME_MAX,
        error_messages={"required": _("Enter your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    handle = forms.CharField(
        label=_("Handle"),
        required=False,
        max_length=31,
        help_text=_("A short name others can pay you by: 3 to 30 of a-z, 0-9, _ and dots. An old one stays yours."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    language = forms.ChoiceField(label=_("Language"))
    time_zone = forms.ChoiceField(label=_("Time zone"), help_text=_("Days and months on your pages begin and end by this clock."))
    home_currency = forms.ChoiceField(label=_("Home currency"), help_text=_("Totals over all wallets are shown in it."))
    theme = forms.ChoiceField(label=_("Appearance"), choices=Person.Theme.choices, widget=forms.RadioSelect)
    hide_amounts = forms.BooleanField(
        label=_("Hide amounts"), required=False, help_text=_("Pages show dots instead of amounts, except where you agree to one.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = settings.LANGUAGES  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [(zone, zone.replace("_", " ")) for zone in values.time_zones()]  # type: ignore[attr-defined]
        self.fields["home_currency"].choices = formatting.currency_choices(get_language() or "en")  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(person: Person) -> dict[str, Any]:
        fields = ("name", "language", "time_zone", "home_currency", "theme", "hide_amounts")
        return {**{field: getattr(person, field) for field in fields}, "handle": person.party.handle}
