"""A real Chromium for tests, and what every page has to stand: axe, a silent console, no third party, no sideways scrolling."""

from __future__ import annotations

import gzip
import os
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Per page, compressed, in bytes.
SCRIPT_MAX, STYLE_MAX, PAGE_MAX, FONT_MAX = 25_000, 12_000, 15_000, 50_000
LAYOUT_CHECK = Path(__file__).parent / "pages" / "layout.js"
_AXE = Axe().axe_script
# Only what is wrong is brought back: what is right is the most of it.
_AXE_RUN = "axe.run({resultTypes: ['violations']}).then((found) => found.violations)"


def executable() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def browser() -> Iterator[Browser]:
    """One Chromium for a session of tests. Without one the tests are skipped aloud; HUB_REQUIRE_BROWSER=1 makes that a failure."""
    # The driver runs an event loop in this thread, which Django takes for an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    path = executable()
    with sync_playwright() as driver:
        path = path or (driver.chromium.executable_path if os.path.exists(driver.chromium.executable_path) else None)
        if path is None:
            if os.environ.get("HUB_REQUIRE_BROWSER") == "1":
                pytest.fail("HUB_REQUIRE_BROWSER=1, and no Chromium was found on PATH or installed by Playwright.")
            warnings.warn("NO BROWSER: no Chromium on PATH, so nothing of the pages was tried in a real browser.", stacklevel=1)
            pytest.skip("NO BROWSER: no Chromium was found")
        # Chromium's own sandbox cannot start as root (containers).
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        try:
            yield running
        finally:
            running.close()


@dataclass
class Watch:
    """Everything a browser complains about while it is used, and what it loads."""

    allowed: set[str]
    said: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def over(cls, context: BrowserContext, *origins: str) -> Watch:
        watch = cls(allowed={urlsplit(origin).netloc for origin in origins})
        context.on("console", watch._console)
        context.on("weberror", lambda error: watch.said.append(f"script: {error.error}"))
        context.on("request", watch._request)
        return watch

    def _console(self, message: ConsoleMessage) -> None:
        # An answer of 4xx is written to the console by the browser itself.
        if message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text:
            self.said.append(f"{message.page.url if message.page else ''} {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        host = urlsplit(request.url).netloc
        if host and host not in self.allowed:
            self.said.append(f"third party: {request.url}")

    def take(self) -> list[str]:
        said, self.said = self.said, []
        return said


def axe_problems(page: Page, *, impacts: tuple[str, ...] = ()) -> list[str]:
    """What axe finds; with `impacts` ("serious", "critical") only violations of these."""
    page.evaluate(_AXE)
    violations: list[dict[str, Any]] = page.evaluate(_AXE_RUN)
    rules = [rule for rule in violations if not impacts or rule["impact"] in impacts]
    return [f"axe {rule['id']}: {rule['help']} at {[node['target'] for node in rule['nodes'][:3]]}" for rule in rules]


def layout_problems(page: Page) -> list[str]:
    problems: list[str] = page.evaluate(LAYOUT_CHECK.read_text())
    return problems


def size_problems(page: Page, url: str) -> list[str]:
    """What the page and everything it loads weigh, compressed as a server would."""
    page.goto(url, wait_until="networkidle")
    loaded: list[str] = page.evaluate("() => performance.getEntriesByType('resource').map((entry) => entry.name)")
    limits = {".js": SCRIPT_MAX, ".css": STYLE_MAX, ".woff2": FONT_MAX, "page": PAGE_MAX}
    weights = dict.fromkeys(limits, 0)
    for address in [url, *loaded]:
        kind = next((ending for ending in limits if urlsplit(address).path.endswith(ending)), "page" if address == url else "")
        if kind:
            body = page.request.get(address).body()
            weights[kind] += len(body) if kind == ".woff2" else len(gzip.compress(body, 6))
    return [f"{kind} weighs {weight} bytes, more than {limits[kind]}" for kind, weight in weights.items() if weight > limits[kind]]
