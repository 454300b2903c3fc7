"""Django's collector of strings with the house's settings: all languages, one place per string, no guessing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.commands import makemessages
from django.utils.translation import to_locale

from hub.runtime.catalogues import LOCALE

# Programs that speak to developers only: they stay English.
ENGLISH_ONLY = ["tests/*", "bench/*", "sandbox/*", "deploy/*", "requirements/*", "staticfiles/*"]


class Command(makemessages.Command):
    help = "Collects the strings of the sources into locale/ (needs GNU gettext's xgettext and msgmerge; docs/languages.md)."
    # A guess from a similar string reads well and says something else; a gap is found by a test.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["locale"] or options["all"]):
            options["locale"] = [to_locale(code) for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
        options["ignore_patterns"] = [*options["ignore_patterns"], *ENGLISH_ONLY]
        options["add_location"] = options["add_location"] or "file"
        options["no_wrap"] = options["no_obsolete"] = True
        super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        super().write_po_file(potfile, locale)
        # The day of collecting would change every catalogue although nothing in it has.
        for path in LOCALE.glob(f"{locale}/LC_MESSAGES/*.po"):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            path.write_text("".join(line for line in lines if not line.startswith('"POT-Creation-Date:')), encoding="utf-8")
