"""
The rules of who may import whom (pyproject.toml, "importlinter"), each proven by planting a violation in a copy of the
tree and running the linter.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.databases import ROOT

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


@dataclass(frozen=True)
class Plant:
    contract: str
    module: str  # where the import is written, as a path
    line: str

    def __str__(self) -> str:
        return f"{self.contract}: {self.line} in {self.module}"


PLANTS = [
    Plant("apps", "core/planted.py", "import accounts.models"),
    Plant("apps", "compliance/planted.py", "from wallets import services"),
    Plant("apps", "wallets/planted.py", "def later():\n    from payments import models"),  # inside a function is no way out
    Plant("apps", "accounts/planted.py", "import hub.wiring"),
    Plant("inside", "wallets/models.py", "import wallets.selectors"),
    Plant("inside", "wallets/selectors.py", "import wallets.services"),
    Plant("inside", "payments/services/planted.py", "import payments.views"),
    Plant("inside", "accounts/services/planted.py", "import accounts.forms"),
    Plant("inside", "accounts/forms.py", "import accounts.admin"),
    Plant("inside", "wallets/views.py", "import wallets.urls"),
    Plant("inside", "payments/api/planted.py", "import payments.views"),  # neighbours do not know each other
    Plant("ledger", "payments/planted.py", "from wallets.ledger_models import LedgerAccount"),
    Plant("ledger", "hub/planted.py", "import wallets.ledger_models"),
    Plant("stripe", "payments/services/planted.py", "import stripe"),
    Plant("stripe", "payments/gateways/planted.py", "from stripe import StripeClient"),
    Plant("stripe", "hub/planted.py", "import stripe.error"),
    Plant("sandbox", "sandbox/planted.py", "import core.money"),
    Plant("sandbox", "sandbox/planted.py", "import hub.settings"),
    Plant("sandbox-unknown", "payments/planted.py", "import sandbox.world"),
    Plant("sandbox-unknown", "hub/runtime/planted.py", "from sandbox import config"),
    Plant("formats", "formats/planted.py", "from django.conf import settings"),
    Plant("formats", "formats/planted.py", "import core.money"),
    Plant("runtime", "hub/runtime/planted.py", "import django"),
    Plant("runtime", "hub/runtime/planted.py", "import hub.settings"),  # leads to Django
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages' Python files, with a cache so that only planted files are read again."""
    copy = tmp_path_factory.mktemp("tree")
    for package in CONFIG["root_packages"]:
        shutil.copytree(ROOT / package, copy / package, ignore=_only_python)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def _only_python(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__" or not (name.endswith(".py") or os.path.isdir(os.path.join(folder, name)))]


def lint(tree: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    limits = [argument for contract in contracts for argument in ("--contract", contract)]
    command = [str(Path(sys.executable).parent / "lint-imports"), "--cache-dir", str(tree / ".cache"), *limits]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def planted(tree: Path, request: pytest.FixtureRequest) -> Iterator[Plant]:
    plant: Plant = request.param
    path = tree / plant.module
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{plant.line}\n")
    yield plant
    if before is None:
        path.unlink()
    else:
        path.write_text(before)


def test_the_tree_keeps_them_all(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize("planted", PLANTS, ids=str, indirect=True)
def test_a_planted_violation_is_found(tree: Path, planted: Plant) -> None:
    done = lint(tree, planted.contract)
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr
    assert "BROKEN" in done.stdout
    module = planted.module.removesuffix(".py").replace("/", ".")
    assert module in done.stdout.split("Broken contracts")[1].replace("\n", " ")


def test_every_contract_is_proven() -> None:
    assert {contract["id"] for contract in CONFIG["contracts"]} == {plant.contract for plant in PLANTS}


def test_every_package_of_the_tree_is_linted() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench", "deploy"}
    assert packages == set(CONFIG["root_packages"])


def test_only_the_wiring_subscribes_to_events() -> None:
    """One file answers "what happens after ...?"."""
    found = [
        str(path.relative_to(ROOT))
        for package in CONFIG["root_packages"]
        for path in (ROOT / package).rglob("*.py")
        if "subscribe(" in path.read_text() and path != ROOT / "core/events.py"
    ]
    assert set(found) <= {"hub/wiring.py"}
