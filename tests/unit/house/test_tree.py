"""The repository as a whole: documents that lead somewhere, no machine's own names in it, and a complete configuration table."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.databases import ROOT


def tracked() -> list[Path]:
    """Git's files, or every file outside hidden folders where this is no clone."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]


FILES = tracked()
TEXTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8", errors="ignore")
    for path in FILES
    if path.suffix not in (".xz", ".ttf", ".woff2", ".png", ".jpg", ".webp", ".ico", ".gz")
}
DOCUMENTS = {name: text for name, text in TEXTS.items() if name.endswith(".md")}


def anchors(text: str) -> set[str]:
    """The names that a page's headings get."""
    headings = re.findall(r"^#+\s+(.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading)).strip().lower().replace(" ", "-") for heading in headings}


class TestDocuments:
    @pytest.mark.parametrize(
        "name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs/configuration.md", "docs/decisions/README.md"]
    )
    def test_exist(self, name: str) -> None:
        assert len((ROOT / name).read_text()) > 200

    @pytest.mark.parametrize("name", DOCUMENTS)
    def test_lead_somewhere(self, name: str) -> None:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", DOCUMENTS[name], flags=re.DOTALL)
        broken = []
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            path = ((ROOT / name).parent / file).resolve() if file else ROOT / name
            if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path.read_text())):
                broken.append(target)
        assert broken == []

    def test_name_every_decision_once(self) -> None:
        index = TEXTS["docs/decisions/README.md"]
        files = sorted(path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
        assert re.findall(r"\((\d{4}-[\w-]+\.md)\)", index) == files

    def test_say_what_changed(self) -> None:
        version = tomllib.loads(TEXTS["pyproject.toml"])["project"]["version"]
        assert "## Unreleased" in TEXTS["CHANGELOG.md"] or f"## {version}" in TEXTS["CHANGELOG.md"]

    def test_carry_the_licence_that_the_package_names(self) -> None:
        assert tomllib.loads(TEXTS["pyproject.toml"])["project"]["license"] == "Apache-2.0"
        assert "Apache License" in TEXTS["LICENSE"]
        assert "Version 2.0" in TEXTS["LICENSE"]


def environment_names() -> dict[str, str]:
    """Every variable that settings, the runtime and the sandbox read, and where."""
    found: dict[str, str] = {}
    for name, text in TEXTS.items():
        if name == "hub/settings.py":
            names = re.findall(r"\benv\.\w+\(\s*\"(\w+)\"", text)
        elif re.match(r"hub/(runtime/.*|celery|wsgi)\.py$|sandbox/config\.py$|manage\.py$|tests/(conftest|browsers)\.py$", name):
            names = re.findall(r"\benviron(?:\.get\(|\.pop\(|\[)\s*\"(\w+)\"(?!\]\s*=)", text) + re.findall(
                r"_port\(environ, \"(\w+)\"", text
            )
        else:
            continue
        found |= dict.fromkeys(names, name)
    return found


class TestConfiguration:
    TABLE = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", TEXTS["docs/configuration.md"], re.MULTILINE)

    def test_table_is_complete(self) -> None:
        assert len(environment_names()) > 30
        missing = {name: where for name, where in environment_names().items() if name not in {row[0] for row in self.TABLE}}
        assert missing == {}

    def test_table_names_nothing_that_nobody_reads(self) -> None:
        assert {row[0] for row in self.TABLE} - set(environment_names()) == set()

    def test_table_names_everything_once(self) -> None:
        names = [row[0] for row in self.TABLE]
        assert len(names) == len(set(names))


class TestEveryFile:
    def test_names_no_machine_of_ours(self) -> None:
        """No folder of one computer, no package index but the public default."""
        machine = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/[\w.-]+")
        index = re.compile(r"^\s*(?:-i|--index-url|--extra-index-url|--find-links|--trusted-host)\b|index-url\s*=", re.MULTILINE)
        found = [
            f"{name}: {match[0]}"
            for name, text in TEXTS.items()
            if name != "tests/unit/house/test_tree.py"
            for match in (*machine.finditer(text), *index.finditer(text))
        ]
        assert found == []

    def test_holds_no_private_key_and_no_live_secret(self) -> None:
        secret = re.compile(r"-----BEGIN (?:\w+ )?PRIVATE KEY|\b(?:sk|rk)_live_\w{24,}|\bAKIA[0-9A-Z]{16}\b")
        assert [name for name, text in TEXTS.items() if secret.search(text) and name != "tests/unit/house/test_tree.py"] == []

    def test_is_text_with_unix_line_ends(self) -> None:
        assert [name for name, text in TEXTS.items() if "\r\n" in text] == []

    def test_of_code_is_not_a_huge_one(self) -> None:
        """A module becomes a package when a reader has to scroll to find things; at 800 lines everybody does."""
        assert [name for name, text in TEXTS.items() if name.endswith(".py") and text.count("\n") > 800] == []

    def test_that_is_big_is_meant_to_be(self) -> None:
        assert [str(path.relative_to(ROOT)) for path in FILES if path.stat().st_size > 1_500_000] == []


class TestRequirements:
    @pytest.mark.parametrize("name", ["requirements/runtime.txt", "requirements/dev.txt"])
    def test_are_pinned_with_hashes(self, name: str) -> None:
        text = TEXTS[name].replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert len(lines) > 20
        assert [line[:60] for line in lines if "==" not in line or "--hash=sha256:" not in line] == []

    def test_of_running_hold_no_tools_of_development(self) -> None:
        names = set(re.findall(r"^([\w.-]+)==", TEXTS["requirements/runtime.txt"], re.MULTILINE))
        assert not names & {"pytest", "mypy", "ruff", "hypothesis", "playwright", "import-linter", "djlint"}

    @pytest.mark.parametrize("name", ["allauth.mfa", "unfold"])
    def test_apps_that_were_decided_against_are_not_installed(self, name: str) -> None:
        from django.conf import settings

        assert name not in settings.INSTALLED_APPS
