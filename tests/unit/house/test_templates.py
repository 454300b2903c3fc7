"""Every template compiles and keeps the rules of the strict content security policy; styles know no left and right."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template import engines
from django_cotton.cotton_loader import Loader as CottonLoader

from tests.databases import ROOT

FOLDERS = (ROOT / "templates", *ROOT.glob("*/templates"))
TEMPLATES = sorted(path for folder in FOLDERS for path in folder.rglob("*") if path.suffix in (".html", ".txt", ".svg"))
PAGES = [path for path in TEMPLATES if path.suffix == ".html"]
STYLES = sorted((ROOT / "static").glob("css/**/*.css"))
SCRIPTS = sorted((ROOT / "static").glob("js/**/*.js"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


class Markup(HTMLParser):
    """Collects what the policy would refuse. Tags of the template language are taken out first."""

    URL_ATTRIBUTES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "hx-delete", "hx-put", "hx-patch", "poster", "data")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.problems: list[str] = []
        self.inside: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _value in attrs}
        line = self.getpos()[0]
        for name, value in attrs:
            if name.startswith(("on", "hx-on", "@", "x-on")):
                self.problems.append(f"line {line}: handler {name}")
            if name == "style":
                self.problems.append(f"line {line}: inline style")
            if name in self.URL_ATTRIBUTES and re.match(r"\s*(javascript:|vbscript:|data:text|//|http:)", value or "", re.IGNORECASE):
                self.problems.append(f"line {line}: {name}={value}")
            if name in ("src", "srcset", "poster") and re.match(r"\s*https:", value or "", re.IGNORECASE):
                self.problems.append(f"line {line}: a third party's {tag}")
            if name in ("hx-vals", "hx-headers") and (value or "").lstrip().startswith(("js:", "javascript:")):
                self.problems.append(f"line {line}: {name} runs script")
        if tag == "style":
            self.problems.append(f"line {line}: style element")
        if tag == "script" and "src" not in names and dict(attrs).get("type") not in ("application/json", "speculationrules", "importmap"):
            self.problems.append(f"line {line}: inline script")
        if tag == "link" and re.match(r"\s*(https?:)?//", dict(attrs).get("href") or ""):
            self.problems.append(f"line {line}: a third party's link")
        if tag == "a" and dict(attrs).get("target") == "_blank" and "noopener" not in (dict(attrs).get("rel") or ""):
            self.problems.append(f"line {line}: target=_blank without noopener")
        if tag == "img" and "alt" not in names:
            self.problems.append(f"line {line}: img without alt")


def problems_of(text: str) -> list[str]:
    text = re.sub(r"{%\s*comment.*?endcomment\s*%}|{#.*?#}", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    text = re.sub(r"{%.*?%}|{{.*?}}", lambda found: re.sub(r"[^\n]", "x", found[0]), text, flags=re.DOTALL)
    markup = Markup()
    markup.feed(text)
    return markup.problems


class TestTemplates:
    def test_are_found(self) -> None:
        assert len(PAGES) > 30

    @pytest.mark.parametrize("path", TEMPLATES, ids=named)
    def test_compile(self, path: Path) -> None:
        engine = engines["django"].engine  # type: ignore[attr-defined]
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            text = CottonLoader(engine).cotton_compiler.process(text)
        engine.from_string(text)

    @pytest.mark.parametrize("path", PAGES, ids=named)
    def test_keep_the_policy(self, path: Path) -> None:
        found = problems_of(path.read_text(encoding="utf-8"))
        if "email" in path.parent.name:  # mail programs know no style sheets, and no policy of ours
            found = [problem for problem in found if not problem.endswith("inline style")]
        assert found == []

    @pytest.mark.parametrize("path", PAGES, ids=named)
    def test_mark_nothing_safe(self, path: Path) -> None:
        """What is safe is made so in Python, where a test can see it."""
        assert not re.search(r"\|\s*safe\b|{%\s*autoescape\s+off|\|\s*safeseq\b", path.read_text(encoding="utf-8"))

    @pytest.mark.parametrize(
        "bad",
        [
            '<p style="color: red">',
            "<style>p {}</style>",
            "<script>alert(1)</script>",
            '<script nonce="{{ request.csp_nonce }}">go()</script>',
            '<button onclick="go()">',
            '<button {% if x %}onclick{% else %}onfocus{% endif %}="go()" onblur="go()">',
            '<a href="javascript:go()">',
            '<div hx-on:click="go()">',
            "<div hx-vals='js:{a: 1}'>",
            '<script src="https://cdn.example/x.js"></script>',
            '<img src="//cdn.example/x.png" alt="">',
            '<link rel="stylesheet" href="https://cdn.example/x.css">',
            '<img src="/x.png">',
            '<a href="https://example.test" target="_blank">',
        ],
    )
    def test_would_be_caught(self, bad: str) -> None:
        assert problems_of(bad)

    @pytest.mark.parametrize(
        "good",
        [
            '<script src="{% static \'js/hub.js\' %}" type="module"></script>',
            '<script type="application/json">{"a": 1}</script>',
            '<a href="{{ link }}" rel="noopener" target="_blank">',
            '{# style="x" #}{% comment %}<script>go()</script>{% endcomment %}',
            '<c-field name="one" label="On" />',
        ],
    )
    def test_would_be_let_through(self, good: str) -> None:
        assert problems_of(good) == []


SIDED = re.compile(
    r"(?:^|[\s;{(])(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right)(?:-\w+)*|left|right"
    r"|border-(?:top|bottom)-(?:left|right)-radius)\s*:|(?:text-align|float|clear|justify-\w+)\s*:\s*(?:left|right)\b",
    re.MULTILINE,
)


class TestStyles:
    @pytest.mark.parametrize("path", STYLES, ids=named)
    def test_know_no_left_and_right(self, path: Path) -> None:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert [found[0].strip() for found in SIDED.finditer(text)] == []

    @pytest.mark.parametrize("path", STYLES, ids=named)
    def test_ask_nobody_else(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", text)

    @pytest.mark.parametrize(
        "bad", ["a { left: 0 }", "a{margin-left:1px}", "a { text-align: right; }", "a { border-top-left-radius: 1px }"]
    )
    def test_would_be_caught(self, bad: str) -> None:
        assert SIDED.search(bad)

    @pytest.mark.parametrize("good", ["a { inset-inline-start: 0 }", "a { margin-inline: 1px }", "a { text-align: end }", "--left: 1px;"])
    def test_would_be_let_through(self, good: str) -> None:
        assert not SIDED.search(good)


class TestScripts:
    @pytest.mark.parametrize("path", SCRIPTS, ids=named)
    def test_make_no_code_and_no_markup_from_text(self, path: Path) -> None:
        text = re.sub(r"//.*|/\*.*?\*/", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"\beval\s*\(|new Function|document\.write|\.outerHTML\s*=|insertAdjacentHTML|setTimeout\(\s*['\"]", text)
        assert not re.search(r"https?://(?!www\.w3\.org)", text)
