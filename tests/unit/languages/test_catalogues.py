"""The catalogues say everything that the sources say, in every language, with the same gaps and the same markup."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation import ngettext, to_locale

from hub.runtime import catalogues
from tests.unit.languages import sources

LOCALES = [to_locale(code) for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLURALS = {"sv": "nplurals=2; plural=(n != 1);", "zh_Hans": "nplurals=1; plural=0;", "fa": "nplurals=2; plural=(n > 1);"}
_GAP = re.compile(r"%\(\w+\)[sd]|%[sd%]|(?<!\{)\{[\w.!:]*\}(?!\})")
_TAG = re.compile(r"</?\w+[^>]*>")
# Digits that a Persian reader would have to read in another script.
_LATIN_NUMBER = re.compile(r"(?<![A-Za-z0-9.,:;/_(-])[0-9]+(?![A-Za-z0-9-])")


def catalogue(locale: str) -> Catalog:
    with (catalogues.LOCALE / locale / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


def texts(message: Message) -> tuple[list[str], list[str]]:
    """The English forms and the translated ones."""
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return ids, strings


@pytest.mark.parametrize("locale", LOCALES)
class TestCatalogue:
    def test_says_everything_that_the_sources_say(self, locale: str) -> None:
        found = catalogue(locale)
        missing = {}
        for (context, singular, plural), where in sources.messages().items():
            message = found.get(singular, context)
            if message is None or (plural and message.id != (singular, plural)):
                missing[singular] = where
        assert missing == {}, "run `make messages` and translate"

    def test_leaves_nothing_untranslated_or_guessed(self, locale: str) -> None:
        found = catalogue(locale)
        gaps = [message.id for message in found if message.id and (message.fuzzy or not all(texts(message)[1]))]
        assert gaps == []

    def test_has_the_plural_forms_of_its_language(self, locale: str) -> None:
        found = catalogue(locale)
        assert found.plural_forms == PLURALS[locale]
        assert [m.id for m in found if isinstance(m.id, tuple) and len(texts(m)[1]) != found.num_plurals] == []

    def test_fills_the_same_gaps(self, locale: str) -> None:
        wrong = []
        for message in (message for message in catalogue(locale) if message.id):
            ids, strings = texts(message)
            # Of "%(n)s day / %(n)s days" a language may leave the number out where there is only one.
            wanted = {frozenset(_GAP.findall(text)) for text in ids}
            if any(set(_GAP.findall(text)) not in wanted for text in strings):
                wrong.append((ids, strings))
        assert wrong == []

    def test_keeps_the_markup(self, locale: str) -> None:
        wrong = []
        for message in (message for message in catalogue(locale) if message.id):
            ids, strings = texts(message)
            if any(sorted(_TAG.findall(text)) != sorted(_TAG.findall(ids[-1])) for text in strings):
                wrong.append((ids, strings))
        assert wrong == []

    def test_keeps_what_stands_at_the_ends(self, locale: str) -> None:
        def ends(text: str) -> tuple[str, str]:
            return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

        pairs = [texts(message) for message in catalogue(locale) if message.id]
        assert [ids for ids, strings in pairs if any(ends(text) != ends(ids[0]) for text in strings)] == []

    def test_is_compiled(self, locale: str) -> None:
        assert not [path for path in catalogues.stale() if locale in path.parts]


def test_no_string_is_said_with_a_plural_and_without() -> None:
    """Languages with one form would show the gap of the plural where there is nothing to fill it."""
    alone = {singular for _context, singular, plural in sources.messages() if plural is None}
    assert [singular for _context, singular, plural in sources.messages() if plural and singular in alone] == []


def test_persian_writes_numbers_in_its_own_digits() -> None:
    plain = [re.sub(r"<code.*?</code>", "", string) for message in catalogue("fa") if message.id for string in texts(message)[1]]
    allowed = ("OFX 2.2", "ISO 20022", "CAMT.053", "RFC 9457", "OpenAPI 3.1", "S256", '{{"amount": 1250', "0 تا 9", "0-9")
    odd = []
    for text in plain:
        rest = text
        for word in allowed:
            rest = rest.replace(word, "")
        if _LATIN_NUMBER.search(rest):
            odd.append(text)
    assert odd == []


@pytest.mark.parametrize(
    ("language", "one", "two"),
    [
        ("en", "1 notice is marked as read.", "2 notices are marked as read."),
        ("sv", "1 notis är markerad som läst.", "2 notiser är markerade som lästa."),
        ("zh-hans", "1 条通知已标为已读。", "2 条通知已标为已读。"),
        ("fa", "1 اعلان خوانده شد.", "2 اعلان خوانده شد."),
    ],
)
def test_plurals_are_chosen_by_the_language(language: str, one: str, two: str) -> None:
    with translation.override(language):
        said = [ngettext("%(n)s notice is marked as read.", "%(n)s notices are marked as read.", n) % {"n": n} for n in (1, 2)]
    assert said == [one, two]


def test_no_language_falls_back_to_another() -> None:
    said = set()
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            said.add(translation.gettext("Activity"))
    assert len(said) == len(settings.LANGUAGES)


class TestCompiling:
    PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Pay"\nmsgstr "Betala"\n'

    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "sv" / "LC_MESSAGES"
        folder.mkdir(parents=True)
        folder.joinpath("django.po").write_text(self.PO, encoding="utf-8")
        return folder

    def test_happens_once_and_again_after_a_change(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path)
        assert catalogues.compile_all(tmp_path) == 1
        assert catalogues.compile_all(tmp_path) == 0
        compiled = folder / "django.mo"
        newer = compiled.stat().st_mtime_ns + 10**9
        os.utime(folder / "django.po", ns=(newer, newer))
        assert catalogues.compile_all(tmp_path) == 1

    def test_leaves_no_half_file_behind(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path)
        catalogues.compile_all(tmp_path)
        assert sorted(path.name for path in folder.iterdir()) == ["django.mo", "django.po"]
