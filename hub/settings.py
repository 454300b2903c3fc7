"""
All settings, read from the environment (docs/configuration.md lists every variable).

HUB_ENV is `production` (the default), `development` or `test`. Production refuses to start with a missing or
well-known secret, with DEBUG, or without an explicit public address.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from core.environment import Environment, database_config

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

HUB_ENV = env.choice("HUB_ENV", ("production", "development", "test"), default="production")
PRODUCTION = HUB_ENV == "production"
DEBUG = env.flag("HUB_DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("HUB_DEBUG must not be set in production.")

SECRET_KEY = env.secret("HUB_SECRET_KEY", production=PRODUCTION, minimum=32)
# "id:base64 of 32 bytes", comma separated; the first one encrypts, all of them decrypt.
HUB_MASTER_KEYS = env.secret("HUB_MASTER_KEYS", production=PRODUCTION, default="dev:" + "aHVi" * 10 + "aHU=")
HUB_INDEX_KEY = env.secret("HUB_INDEX_KEY", production=PRODUCTION, minimum=43, default="aW5k" * 10 + "aW4=")

HUB_PUBLIC_URL = env.text("HUB_PUBLIC_URL", default="" if PRODUCTION else "http://localhost:8000").rstrip("/")
if PRODUCTION and not HUB_PUBLIC_URL.startswith("https://") and not env.flag("HUB_ALLOW_HTTP", default=False):
    raise ImproperlyConfigured("HUB_PUBLIC_URL must be the https:// address of this hub in production.")
HUB_NAME = env.text("HUB_NAME", default="Hub")
HUB_TIME_ZONE = env.text("HUB_TIME_ZONE", default="Europe/Stockholm")  # the operator's: days and months of limits
HUB_REFERENCE_CURRENCY = "EUR"
HUB_STATE_DIR = env.text("HUB_STATE_DIR", default=str(BASE_DIR / ".hub"))
# How long after a change of a list an older screening verdict still lets payments pass.
HUB_SCREENING_GRACE_MINUTES = env.number("HUB_SCREENING_GRACE_MINUTES", default=10)
# A sign-up whose address nobody proves is erased after so many days.
HUB_SIGN_UP_KEPT_DAYS = env.number("HUB_SIGN_UP_KEPT_DAYS", default=7)
if HUB_SIGN_UP_KEPT_DAYS < 1:
    raise ImproperlyConfigured("HUB_SIGN_UP_KEPT_DAYS must be 1 or more: a code has to have time to arrive.")
HUB_RATES_URL = env.text("HUB_RATES_URL", default="")
SANDBOX_URL = env.text("SANDBOX_URL", default="").rstrip("/")
if PRODUCTION and SANDBOX_URL:
    raise ImproperlyConfigured("SANDBOX_URL points at a pretend outside world and must not be set in production.")

_public_host = HUB_PUBLIC_URL.split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0]
ALLOWED_HOSTS = env.items(
    "HUB_ALLOWED_HOSTS", default=[_public_host] if PRODUCTION else [_public_host, "localhost", "127.0.0.1", "testserver"]
)
CSRF_TRUSTED_ORIGINS = [HUB_PUBLIC_URL] if HUB_PUBLIC_URL else []

INSTALLED_APPS = [
    "hub",
    "engagement",
    "products",
    "budgeting",
    "openbanking",
    "payments",
    "wallets",
    "compliance",
    "accounts",
    "core",
    "hub.admin_app.HubAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_otp",
    "django_cotton.apps.SimpleAppConfig",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "oauth2_provider",
]

MIDDLEWARE = [
    "core.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.middleware.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "core.middleware.ScopeMiddleware",
    "accounts.middleware.PersonMiddleware",
    "core.middleware.HubErrorMiddleware",
]

ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
                "hub.context.hub",
            ],
            "builtins": ["django_cotton.templatetags.cotton", "django.templatetags.i18n", "core.templatetags.hub"],
        },
    }
]
COTTON_DIR = "cotton"

# --- data ------------------------------------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", default="")
DATABASE_OWNER_URL = env.text("DATABASE_OWNER_URL", default="")
DATABASES = {"default": database_config(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL", default="")
# Who may read /metrics: a collector with this token, or one of these addresses and networks.
HUB_METRICS_TOKEN = env.text("HUB_METRICS_TOKEN", default="")
if PRODUCTION and HUB_METRICS_TOKEN and len(HUB_METRICS_TOKEN) < 24:
    raise ImproperlyConfigured("HUB_METRICS_TOKEN is too short: 24 characters at least.")
# Behind a proxy of yours everybody comes from its address, unless HUB_TRUSTED_PROXIES says how many there are.
HUB_METRICS_ADDRESSES = env.items("HUB_METRICS_ADDRESSES", default=[] if PRODUCTION else ["127.0.0.1", "::1"])

CACHES: dict[str, dict[str, Any]] = {
    # Counters that protect people (sign-in, codes) must hold when Redis is away, so they live in PostgreSQL.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "core_cache",
        "TIMEOUT": 3600,
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    },
    # Partners' quotas only: when Redis is away each process falls back to a stricter count of its own (core.api.quota).
    "quota": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "quota",
        "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HUB_PUBLIC_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-hub-session" if SESSION_COOKIE_SECURE else "hub-session"
CSRF_COOKIE_NAME = "__Host-hub-csrf" if CSRF_COOKIE_SECURE else "hub-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "hub.views.csrf_failure"
SESSION_COOKIE_AGE = 14 * 24 * 3600
# Tells a device that a person has signed in from before from one they have not (accounts.known_devices).
HUB_DEVICE_COOKIE = "__Host-hub-device" if SESSION_COOKIE_SECURE else "hub-device"

# --- celery: wake-ups only, the database holds the work ---------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "retry_on_timeout": True,
    "max_retries": 0,  # of publishing: without it a wake-up waits six seconds for a broker that is away
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    # Each tick expires before the next one, so a worker that was away is not met by a pile of old ticks.
    "events-relay": {"task": "core.events_relay", "schedule": 2.0, "options": {"expires": 2}},
    "due-sweep": {"task": "core.due_sweep", "schedule": 2.0, "options": {"expires": 2}},
    # The kinds of work that only the process with the index of names may do.
    "screening-sweep": {
        "task": "core.due_sweep",
        "kwargs": {"queue": "screening"},
        "schedule": 1.0,
        "options": {"queue": "screening", "expires": 2},
    },
    "sign-ups-forget": {"task": "accounts.sign_ups_forget", "schedule": 3600.0, "options": {"expires": 600}},
    "rates-refresh": {"task": "core.rates_refresh", "schedule": 3600.0, "options": {"expires": 600}},
    "notices-forget": {"task": "engagement.notices_forget", "schedule": 3600.0, "options": {"expires": 600}},
    "housekeeping": {"task": "core.housekeeping", "schedule": 3600.0, "options": {"expires": 600}},
    # One report a day of the operator's calendar; the first tick of a day makes it.
    "safeguarding-report": {"task": "wallets.safeguarding_report", "schedule": 600.0, "options": {"expires": 300}},
    "ledger-seal": {"task": "wallets.seal", "schedule": 5.0, "options": {"expires": 5}},
    "tokens-clear": {"task": "accounts.tokens_clear", "schedule": 3600.0, "options": {"expires": 600}},
}

# --- people ------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if HUB_ENV == "test":
    # Argon2 is slow by intent; a thousand tests that sign in would take minutes for it.
    PASSWORD_HASHERS.insert(0, "django.contrib.auth.hashers.MD5PasswordHasher")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ("email", "name")}},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# accounts: allauth is identity; its limits live in the default cache, which is PostgreSQL
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 10 * 60
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/15m/key",
    "signup": "20/m/ip",
    "confirm_email": "1/10s/key,10/h/key",
}
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.SignUpForm",
    "add_email": "accounts.forms.ChangeEmailForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "confirm_email_verification_code": "accounts.forms.ConfirmEmailCodeForm",
    "confirm_password_reset_code": "accounts.forms.ConfirmResetCodeForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}

# --- words, numbers, places --------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# By the names they call themselves: who cannot read the page has to find their own.
LANGUAGES = [("en", "English"), ("sv", "Svenska"), ("zh-hans", "简体中文"), ("fa", "فارسی")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "__Host-hub-language" if SESSION_COOKIE_SECURE else "hub-language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = SESSION_COOKIE_SECURE
LANGUAGE_COOKIE_HTTPONLY = True
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- mail ----------------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", default="127.0.0.1")
EMAIL_PORT = env.number("EMAIL_PORT", default=9025 if not PRODUCTION else 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=PRODUCTION)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("HUB_MAIL_FROM", default=f"{HUB_NAME} <no-reply@{_public_host or 'localhost'}>")

# --- providers -----------------------------------------------------------------------------------------------------------
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET", default="")
# Empty means Stripe itself; make run points it at the sandbox.
STRIPE_API_BASE = env.text("STRIPE_API_BASE", default="").rstrip("/")
if PRODUCTION and STRIPE_API_BASE:
    raise ImproperlyConfigured("STRIPE_API_BASE replaces Stripe by the sandbox and must not be set in production.")

# Lets webhooks go to this machine itself, over http: for tests and trying things out, never in production.
HUB_ALLOW_PRIVATE_WEBHOOKS = env.flag("HUB_ALLOW_PRIVATE_WEBHOOKS", default=False)
if PRODUCTION and HUB_ALLOW_PRIVATE_WEBHOOKS:
    raise ImproperlyConfigured("HUB_ALLOW_PRIVATE_WEBHOOKS lets partners reach this machine and must not be set in production.")

# The bank that carries out payouts (docs/payments.md, "The bank"); make run points it at the sandbox. Empty: there is none.
BANK_API_BASE = env.text("BANK_API_BASE", default="").rstrip("/")
BANK_API_KEY = env.text("BANK_API_KEY", default="")
if PRODUCTION and BANK_API_BASE and not BANK_API_BASE.startswith("https://"):
    raise ImproperlyConfigured("BANK_API_BASE must be an https address in production.")

# --- browsers ------------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["htmx"],
        "report-uri": "/csp-report/",
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HUB_PUBLIC_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = env.flag("HUB_SSL_REDIRECT", default=True)
    # Asked from inside, by the container's check and the collector of numbers.
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
if env.flag("HUB_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies of ours stand in front: so many entries of X-Forwarded-For are believed, from its end.
HUB_TRUSTED_PROXIES = env.number("HUB_TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = HUB_TRUSTED_PROXIES
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# --- API -----------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.TokenAuthentication", "accounts.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.access.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["core.api.quota.QuotaThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsing.JsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.parsing.AlwaysJson",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.HubSchema",
    "EXCEPTION_HANDLER": "core.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
# Calls per minute. Without Redis each process counts on its own and allows this part of them.
HUB_API_QUOTA_PERSON = env.number("HUB_API_QUOTA_PERSON", default=100_000 if HUB_ENV == "test" else 600)
HUB_API_QUOTA_ANONYMOUS = env.number("HUB_API_QUOTA_ANONYMOUS", default=100_000 if HUB_ENV == "test" else 60)
HUB_API_QUOTA_LOCAL_PART = 4
HUB_API_BODY_MAX = 64 * 1024
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": f"{HUB_NAME} API",
    "DESCRIPTION": "Wallets, transfers, top-ups and limits. Amounts are whole numbers of minor units.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVERS": [{"url": HUB_PUBLIC_URL}] if HUB_PUBLIC_URL else [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "PaymentKind": "payments.models.Kind",
        "PaymentState": "payments.models.State",
        "OpenState": "wallets.models.Wallet.State",
        "BillState": "payments.bills.models.BillState",
        "BillRunState": "payments.bills.models.RunState",
    },
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "core.api.schema.finish", "accounts.api_auth.describe"],
}

# --- partners: OAuth 2 by RFC 9700 ------------------------------------------------------------------------------------------
OAUTH2_PROVIDER_APPLICATION_MODEL = "accounts.PartnerApplication"
OAUTH2_PROVIDER: dict[str, Any] = {
    "SCOPES_BACKEND_CLASS": "accounts.oauth.PartnerScopes",
    "OAUTH2_VALIDATOR_CLASS": "accounts.oauth.Validator",
    "APPLICATION_ADMIN_CLASS": "accounts.oauth_admin.PartnerApplicationAdmin",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 15 * 60,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 3600,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    "ALLOW_URI_WILDCARDS": False,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"] if PRODUCTION else ["https", "http"],
    "OIDC_ISS_ENDPOINT": HUB_PUBLIC_URL,
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "client_credentials", "refresh_token"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": PRODUCTION,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

LOGGING_CONFIG = None
from core.logging import configure as _configure_logging  # noqa: E402

_configure_logging(json_lines=PRODUCTION, level=env.text("HUB_LOG_LEVEL", default="INFO"))
