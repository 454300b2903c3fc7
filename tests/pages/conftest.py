from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests import browsers


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    yield from browsers.browser()
