"""The strings that the sources mark for translation, read without GNU gettext: what `makemessages` would find."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize

from hub.management.commands.makemessages import ENGLISH_ONLY
from tests.databases import ROOT

# A message as catalogues name it: (context or None, singular, plural or None).
Message = tuple[str | None, str, str | None]

_APPS = ("accounts", "budgeting", "compliance", "core", "engagement", "hub", "openbanking", "payments", "products", "wallets")
_KEYWORDS = dict.fromkeys(
    ("_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"),
)
_CALL = re.compile(r"(?<!\w)(_|gettext|ngettext|pgettext|npgettext)\(")


def templates() -> list[Path]:
    folders = (ROOT / "templates", *(ROOT / app / "templates" for app in _APPS))
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".html", ".txt"))


def modules() -> list[Path]:
    assert not any(name.startswith(app) for name in ENGLISH_ONLY for app in _APPS)
    return sorted(path for app in _APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)


def messages() -> dict[Message, str]:
    """Every message with a file that says it."""
    found: dict[Message, str] = {}
    for path in modules():
        for message in _of_module(path):
            found.setdefault(message, str(path.relative_to(ROOT)))
    for path in templates():
        for message in _of_template(path.read_text(encoding="utf-8")):
            found.setdefault(message, str(path.relative_to(ROOT)))
    return found


def _of_module(path: Path) -> Iterator[Message]:
    source = io.BytesIO(path.read_bytes())
    for _line, function, texts, _comments in extract_python(source, _KEYWORDS, [], {}):
        name = str(function)
        parts = [texts] if isinstance(texts, str) else [text for text in texts if text]
        if not parts:
            continue
        if name.startswith("pgettext"):
            yield parts[0], parts[1], None
        elif name.startswith("ngettext"):
            yield None, parts[0], parts[1]
        else:
            yield None, parts[0], None


def _of_template(text: str) -> Iterator[Message]:
    written = templatize(text)
    for call in _CALL.finditer(written):
        arguments = _arguments(written[call.start() :])
        if call[1] in ("_", "gettext"):
            yield None, arguments[0], None
        elif call[1] == "ngettext":
            yield None, arguments[0], arguments[1]
        elif call[1] == "pgettext":
            yield arguments[0], arguments[1], None
        else:
            yield arguments[0], arguments[1], arguments[2]


def _arguments(text: str) -> list[str]:
    for end in (found.end() for found in re.finditer(r"\)", text)):
        try:
            call = ast.parse(text[:end], mode="eval").body
        except SyntaxError:
            continue
        assert isinstance(call, ast.Call)
        return [argument.value for argument in call.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
    raise AssertionError(f"not a call: {text[:60]}")
