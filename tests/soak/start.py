"""`python -m tests.soak.start run`: `make run` without the demo, whose payments would be in the way of counting."""

from __future__ import annotations

import sys

from hub.runtime import __main__, bootstrap

bootstrap.Preparation.command = (sys.executable, "-m", "tests.soak.prepare")

if __name__ == "__main__":
    sys.exit(__main__.main(sys.argv[1:]))
