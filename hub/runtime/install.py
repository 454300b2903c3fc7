"""
Make `.venv`, install the pinned requirements and compile the translations: `python3 -m hub.runtime.install runtime|dev`.

Runs under the machine's own Python, so it uses nothing but the standard library. What a stamp says is installed is not
looked at again, and then no network is needed.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
MINIMUM = (3, 11)
PROBE = "import sys, pip; print(*sys.version_info[:3], sep='.')"


def main(kind: str) -> int:
    if sys.version_info < MINIMUM:
        print(f"Python {'.'.join(map(str, MINIMUM))} or newer is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    # Two makes at once (run and test) must not install into each other.
    with open(PROJECT / "requirements" / f"{kind}.txt", encoding="utf-8") as requirements:
        fcntl.flock(requirements, fcntl.LOCK_EX)
        return _install(kind) or _compile_catalogues()


def _install(kind: str) -> int:
    version = _version() or _make_venv()
    if not version:
        return 1
    requirements = PROJECT / "requirements" / f"{kind}.txt"
    wanted = _fingerprint(requirements, version)
    stamp = _stamp(kind)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"Installing {requirements.name} into {VENV} ...", flush=True)
    begun = time.monotonic()
    # The file lists everything with its hash, so there is nothing to resolve and nothing to build.
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input", "--quiet"]
    # The bench's peer is published as source only; it is pure Python, and runtime.txt has nothing of the kind.
    options += ["--no-binary", "django-hordak"]
    options += ["--progress-bar", "off"]
    done = subprocess.run([str(PYTHON), "-m", "pip", "install", *options, "-r", str(requirements)], check=False)
    if done.returncode:
        print("The installation failed; see above. The first one needs a network, later starts do not.", file=sys.stderr)
        return 1
    stamp.write_text(wanted, encoding="utf-8")
    if kind == "dev" and _pins(requirements) >= _pins(requirements.with_name("runtime.txt")):
        _stamp("runtime").write_text(_fingerprint(requirements.with_name("runtime.txt"), version), encoding="utf-8")
    print(f"Installed in {time.monotonic() - begun:.0f} s.", flush=True)
    return 0


def _compile_catalogues() -> int:
    return subprocess.run([str(PYTHON), "-m", "hub.runtime.catalogues"], cwd=PROJECT, check=False).returncode


def _version() -> str:
    """The version of .venv's Python; empty when it is missing, broken (its base is gone) or too old."""
    if not PYTHON.exists():
        return ""
    found = subprocess.run([str(PYTHON), "-c", PROBE], capture_output=True, text=True, check=False)
    version = found.stdout.strip()
    if found.returncode or not re.fullmatch(r"\d+\.\d+\.\d+", version):
        return ""
    return version if tuple(map(int, version.split("."))) >= MINIMUM else ""


def _make_venv() -> str:
    print(f"Making {VENV} with Python {sys.version.split()[0]} ...", flush=True)
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        print("Python's venv module is incomplete here; on Debian and Ubuntu the package python3-venv brings it.", file=sys.stderr)
        return ""
    return _version()


def _stamp(kind: str) -> Path:
    return VENV / f".installed-{kind}"


def _fingerprint(requirements: Path, version: str) -> str:
    return f"{version} {hashlib.sha256(requirements.read_bytes()).hexdigest()}\n"


def _pins(requirements: Path) -> set[str]:
    return set(re.findall(r"^[A-Za-z0-9_.-]+==[^\s;\\]+", requirements.read_text(encoding="utf-8"), re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
