"""Installing, with a pip that only notes that it was called; and what the requirement files promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.runtime import install

PYTHON = """#!/bin/sh
case "$*" in
  *"-c "*) echo {version} ;;
  *) echo "$*" >> "{calls}"; exit {code} ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "a project"
    project.joinpath("requirements").mkdir(parents=True)
    for kind, pins in (("runtime", "django==1"), ("dev", "django==1\npytest==2")):
        project.joinpath("requirements", f"{kind}.txt").write_text(pins)
    monkeypatch.setattr(install, "PROJECT", project)
    monkeypatch.setattr(install, "VENV", project / ".venv")
    monkeypatch.setattr(install, "PYTHON", project / ".venv" / "bin" / "python")
    return project


def give_venv(project: Path, *, version: str = "3.11.7", code: int = 0) -> None:
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(PYTHON.format(version=version, calls=project / "calls", code=code))
    python.chmod(0o755)


def calls(project: Path) -> list[str]:
    """Of pip."""
    lines = project.joinpath("calls").read_text().splitlines() if project.joinpath("calls").exists() else []
    return [line for line in lines if " pip " in line]


class TestInstall:
    def test_runs_pip_once_with_hashes_and_not_again(self, project: Path) -> None:
        give_venv(project)
        assert install.main("runtime") == 0
        assert install.main("runtime") == 0
        (call,) = calls(project)
        assert "--require-hashes" in call

    def test_changed_requirements_are_installed(self, project: Path) -> None:
        give_venv(project)
        install.main("runtime")
        project.joinpath("requirements", "runtime.txt").write_text("django==2")
        install.main("runtime")
        assert len(calls(project)) == 2

    def test_what_tests_need_covers_what_running_needs(self, project: Path) -> None:
        give_venv(project)
        install.main("dev")
        install.main("runtime")
        assert len(calls(project)) == 1

    def test_a_failed_installation_is_tried_again(self, project: Path) -> None:
        give_venv(project, code=1)
        assert install.main("runtime") == 1
        give_venv(project)
        assert install.main("runtime") == 0
        assert len(calls(project)) == 2

    @pytest.mark.parametrize("version", ["3.10.1", ""])
    def test_a_venv_that_is_too_old_or_broken_is_made_anew(self, project: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
        give_venv(project, version=version)

        def make() -> str:
            give_venv(project, version="3.12.1")
            return "3.12.1"

        monkeypatch.setattr(install, "_make_venv", make)
        assert install.main("runtime") == 0
        assert "3.12.1" in project.joinpath(".venv", ".installed-runtime").read_text()


REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"


class TestRequirements:
    @pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
    def test_are_pinned_hashed_and_name_no_index(self, name: str) -> None:
        text = REQUIREMENTS.joinpath(name).read_text()
        assert "://" not in text
        assert "index-url" not in text
        blocks = re.split(r"\n(?=\S)", text.strip())
        assert all("==" in block and "--hash=sha256:" in block for block in blocks)

    def test_tests_run_on_the_versions_that_people_run(self) -> None:
        assert install._pins(REQUIREMENTS / "dev.txt") >= install._pins(REQUIREMENTS / "runtime.txt")
