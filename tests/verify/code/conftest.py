"""Tests that run code are skipped, with the reason, where no sandbox can be had."""

from __future__ import annotations

import pytest

from cultivar.core.errors import UsageError
from cultivar.verify.code import require


@pytest.fixture(scope="session")
def sandbox() -> None:
    try:
        require()
    except UsageError as error:
        pytest.skip(str(error))
