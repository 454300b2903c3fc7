"""Django as an HTTP toolkit: no apps, no database, own templates and a strict policy on every page."""

import secrets
from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse

from sandbox.config import Config
from sandbox.server import BODY_BYTES_MAX

FOLDER = Path(__file__).parent


def policy(*, form_action: str = "'self'", extra: str = "") -> str:
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'; "
        f"require-trusted-types-for 'script'{extra}"
    )


def guard(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        # Refuses names that are not ours, so that no web site can reach in by DNS rebinding.
        request.get_host()
        response = get_response(request)
        # Without it the server has to close the connection.
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.headers.setdefault("Content-Security-Policy", policy())
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def app_make(config: Config) -> WSGIHandler:
    settings.configure(
        DEBUG=False,
        SECRET_KEY=secrets.token_urlsafe(32),
        ALLOWED_HOSTS=list(config.hosts),
        ROOT_URLCONF="sandbox.urls",
        MIDDLEWARE=["sandbox.web.guard", "django.middleware.csrf.CsrfViewMiddleware"],
        # Cookies do not know ports: the hub on the same host must not share it.
        CSRF_COOKIE_NAME="sandbox_csrf",
        CSRF_COOKIE_HTTPONLY=True,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [FOLDER / "templates"],
                "OPTIONS": {"context_processors": ["django.template.context_processors.csrf"]},
            }
        ],
        DATABASES={},
        INSTALLED_APPS=[],
        USE_TZ=True,
        TIME_ZONE="UTC",
        USE_I18N=False,
        DATA_UPLOAD_MAX_MEMORY_SIZE=BODY_BYTES_MAX,
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"console": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["console"], "level": "WARNING"},
            # 4xx answers are the sandbox's trade, not news.
            "loggers": {name: {"level": "ERROR"} for name in ("django.request", "django.security")},
        },
    )
    django.setup(set_prefix=False)
    return WSGIHandler()
