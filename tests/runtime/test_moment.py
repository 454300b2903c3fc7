"""`restore-drill --moment`: back to a moment, and the books and seals are those of the moment."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.runtime.conftest import PROJECT


def test_the_drill_goes_back_and_verifies(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub.runtime", "restore-drill", "--moment"],
        cwd=PROJECT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    (whole,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"ok"')]
    # What was posted after the moment is gone, nothing before it is, and the seal that was noted then is there.
    assert (whole["ok"], whole["transfers"], whole["after_it"], whole["seals"], whole["problems"]) == (True, 600, 300, 2, [])
