"""Shared by all tests: no network, and where the real material lies (beside the repository, if at all)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine and at every time: a test that fails, fails for everybody.
settings.register_profile("cultivar", derandomize=True, deadline=None, database=None)
settings.load_profile("cultivar")

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real material; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real material (shared/data beside the repository) is not here")
    return SHARED
