"""What people read is marked for translation: texts of templates, words of forms, errors and models."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.databases import ROOT
from tests.unit.languages import sources

# The styleguide shows developers how things look; the staff pages around Django's own admin are Django's.
ENGLISH = ("templates/hub/styleguide.html",)
# Attributes that are read, of elements and of our components.
READ = {
    *("alt", "aria-label", "aria-valuetext", "aria-description", "placeholder", "title", "content"),
    *("label", "lead", "back_label", "submit", "question", "change", "legend", "hint", "text", "heading", "term", "description"),
}
# Of <meta>, only these say something to people.
META = ("description", "og:title", "og:description")
# Words that are the same in every language.
SAME = re.compile(r"\b(?:IBAN|API|OpenAPI|PDF|CSV|OFX|CAMT(?:\.053)?|verify_proof\.py)\b")
SILENT = ("script", "style", "code", "pre")
_WORD = re.compile(r"[^\W\d_]{2,}")

_HIDDEN = re.compile(
    r"{%\s*comment.*?endcomment\s*%}|{#.*?#}|{%\s*blocktrans(?:late)?.*?endblocktrans(?:late)?\s*%}|{%\s*block tone\s*%}.*?(?={%)",
    re.DOTALL,
)
_TEMPLATE = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)


class Reader(HTMLParser):
    """Collects what is left to read once everything that the template language writes is taken out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        if tag == "meta" and (dict(attrs).get("name") or dict(attrs).get("property")) not in META:
            return
        for name, value in attrs:
            if name in READ and value:
                self._note(value)

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self._note(data)

    def _note(self, text: str) -> None:
        left = SAME.sub("", text.strip())
        if _WORD.search(left):
            self.found.append(" ".join(text.split()))


def unmarked(text: str) -> list[str]:
    text = _TEMPLATE.sub("", _HIDDEN.sub("", text))
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader.found


class TestTemplates:
    @pytest.mark.parametrize("path", sources.templates(), ids=lambda path: str(path.relative_to(ROOT)))
    def test_mark_all_they_say(self, path: Path) -> None:
        if str(path.relative_to(ROOT)) not in ENGLISH:
            assert unmarked(path.read_text(encoding="utf-8")) == []

    @pytest.mark.parametrize(
        "bad",
        [
            "<p>Hello</p>",
            '<img src="a.png" alt="A cat">',
            '<c-card title="Bills">{{ x }}</c-card>',
            "{% trans 'Pay' %} now",
            '<a aria-label="Open">x</a>',
        ],
    )
    def test_would_be_caught(self, bad: str) -> None:
        assert unmarked(bad)

    @pytest.mark.parametrize(
        "good",
        [
            "<p>{% trans 'Hello' %}: {{ name }}</p>",
            "{% blocktrans %}Hello <b>you</b>{% endblocktrans %}",
            "<c-card title=\"{% trans 'Bills' %}\" />",
            "<code>GET /x</code>",
            "{# a remark #}·",
        ],
    )
    def test_would_be_let_through(self, good: str) -> None:
        assert unmarked(good) == []


# Keywords and class attributes whose value somebody reads.
SPOKEN = {"label", "help_text", "verbose_name", "verbose_name_plural", "default_message", "message", "violation_error_message"}
# Written to logs, read by developers in the API's description, or by operators in the tables of the spine: English.
DEVELOPERS = ("core/models.py", "core/api/schema.py", "hub/demo/", "hub/runtime/", "/management/")


def plain_words(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_WORD.search(node.value)) and " " in node.value.strip()


def unmarked_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines whose words are given as plain text where they are shown."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            spoken = [keyword.value for keyword in node.keywords if keyword.arg in SPOKEN and _is_shown(name)]
            if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "messages":
                spoken += node.args[1:2]
            if name == "ValidationError":
                spoken += node.args[:1]
            for value in spoken:
                if plain_words(value):
                    yield value.lineno, ast.unparse(value)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            if names & (SPOKEN - {"message", "label"}) and plain_words(node.value):
                yield node.lineno, ast.unparse(node)


def _is_shown(callee: str) -> bool:
    # Serializers' fields and parsers of command lines speak to developers.
    return callee.endswith(("Field", "Validator"))


def is_developers(path: Path) -> bool:
    name = str(path.relative_to(ROOT))
    return any(part in name for part in DEVELOPERS) or path.name.startswith(("api", "serializers", "shapes")) or "/api/" in name


@pytest.mark.parametrize(
    "path", [path for path in sources.modules() if not is_developers(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_python_marks_what_is_shown(path: Path) -> None:
    assert list(unmarked_in(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "bad",
    [
        'name = forms.CharField(label="Your name")',
        'messages.success(request, "It is done.")',
        'raise ValidationError("That is wrong.", code="x")',
        'class Meta:\n    verbose_name = "bank account"',
        'class Refused(HubError):\n    default_message = "Not now, please."',
    ],
)
def test_python_would_be_caught(bad: str) -> None:
    assert list(unmarked_in(ast.parse(bad)))
