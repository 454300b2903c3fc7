"""Fixtures that every test may use; what one app needs lives in that app's own conftest."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.utils import translation
from whitenoise.middleware import WhiteNoiseMiddleware

from core import clock, crypto
from hub.runtime import catalogues
from tests import databases, live

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Files that take a minute of their own, the longest first: begun last, they would leave the other process idle at the end.
LONG = (
    "tests/pages/test_every_page.py",
    "tests/pages/test_languages.py",
    "tests/runtime/test_soak.py",
    "tests/runtime/test_whole_hub.py",
    "tests/pages/test_staff_pages.py",
    "tests/journeys/test_a_year_of_bills.py",
    "tests/unit/api/test_fuzz.py",
    "tests/unit/api/test_access.py",
    "tests/journeys/test_bank_transfer.py",
    "tests/unit/sandbox/test_browser.py",
    "tests/runtime/test_run.py",
)


def pytest_configure() -> None:
    # `make` has done it; a bare `pytest` after a change of a text has not.
    catalogues.compile_all()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One process runs the tests in the order they are written in; two share the long files first."""
    if hasattr(config, "workerinput"):
        long = {file: position for position, file in enumerate(LONG)}
        items.sort(key=lambda item: long.get(item.location[0], len(LONG)))


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A request leaves its language behind in the thread, as Django's middleware does: the next test begins in English."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """A copy of the migrated template for this process, used as the application's role."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        name = databases.copy()
        with databases.pointed_at(name):
            yield
        databases.drop(name)


@pytest.fixture
def fresh_db(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own, where commits are real and threads and processes can meet. Gives its name."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        name = databases.copy()
        crypto.cache_clear()
        with databases.pointed_at(name):
            yield name
        crypto.cache_clear()
        databases.drop(name)


@pytest.fixture
def live_hub(fresh_db: str, tmp_path: Path) -> Iterator[live.LiveHub]:
    """A whole hub on a free port with a database of its own: web, worker and the sandbox."""
    with live.running(fresh_db, tmp_path / "sandbox") as hub:
        yield hub


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run: its driver cannot be started twice in a process."""
    from tests import browsers

    yield from browsers.browser()


@pytest.fixture(scope="session", autouse=True)
def _no_wake_ups() -> Iterator[None]:
    """Nobody listens to a broker here: what is due is found by whoever looks."""
    before, settings.CELERY_BROKER_URL = settings.CELERY_BROKER_URL, ""
    yield
    settings.CELERY_BROKER_URL = before


@pytest.fixture(scope="session", autouse=True)
def _static_files_found_once() -> Iterator[None]:
    """Every test client makes the middleware anew, and that one looks at each static file there is."""
    found: dict[str, dict[str, object]] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def remember(self: WhiteNoiseMiddleware) -> None:
        if self.static_prefix not in found:
            before = dict(self.files)
            look(self)
            found[self.static_prefix] = {url: file for url, file in self.files.items() if url not in before}
        self.files.update(found[self.static_prefix])

    WhiteNoiseMiddleware.add_files_from_finders = remember
    yield
    WhiteNoiseMiddleware.add_files_from_finders = look


@pytest.fixture(autouse=True)
def _no_memory_between_tests() -> Iterator[None]:
    """Rolled-back tests leave keys and a clock reading in this process's memory."""
    crypto.cache_clear()
    crypto._uncommitted.owners.clear()
    clock._cache.read_at = None
    yield
    crypto.cache_clear()


@pytest.fixture(autouse=True)
def _everybody_is_clear(request: pytest.FixtureRequest) -> Iterator[None]:
    """
    Whoever is made in a test has been screened and found clear, newer than any list; the mark `screened` leaves it to the
    real screening.
    """
    if request.node.get_closest_marker("screened"):
        _index_forget()
        yield
        _index_forget()
        return
    from django.db.models.signals import post_save

    from accounts.models import Party
    from compliance.models import Verdict

    def clear(sender: object, instance: Party, created: bool, **_: object) -> None:
        if created:
            found = Verdict(party=instance, state=Verdict.State.CLEAR, screened_at=clock.real(), list_id=2**62)
            Verdict.objects.bulk_create([found], ignore_conflicts=True)

    post_save.connect(clear, sender=Party, weak=False, dispatch_uid="tests.clear")
    yield
    post_save.disconnect(sender=Party, dispatch_uid="tests.clear")


def _index_forget() -> None:
    """The index in this process's memory is of another test's database."""
    if "compliance.screening.holder" in sys.modules:
        sys.modules["compliance.screening.holder"].forget()


@pytest.fixture
def now() -> datetime:
    """A moment without surprises: a Wednesday noon, no clock change near."""
    return datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real files (HUB_SAMPLES); tests that need it skip without."""
    folder = Path(os.environ.get("HUB_SAMPLES", "/nowhere"))
    if not folder.is_dir():
        pytest.skip("HUB_SAMPLES is not set")
    return folder
