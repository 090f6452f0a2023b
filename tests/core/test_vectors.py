"""Vectors as text, and packages that are not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import UsageError
from cultivar.core.extras import needed
from cultivar.core.vectors import packed, unpacked


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_a_vector_comes_back(vector: list[float]) -> None:
    assert unpacked(packed(vector)) == vector


@pytest.mark.parametrize("text", ["not base64!", "AAA=", "ü"])
def test_what_is_no_vector_says_so(text: str) -> None:
    with pytest.raises(ValueError):
        unpacked(text)


def test_a_missing_package_is_named_with_what_to_type() -> None:
    with pytest.raises(UsageError, match=r"pip install 'cultivar\[curate\]'"):
        needed("no_such_package_anywhere", "curate")


def test_a_package_that_is_there_is_given() -> None:
    assert needed("json", "curate").loads("1") == 1
