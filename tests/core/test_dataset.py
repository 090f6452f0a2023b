from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.dataset import Flat


@given(st.lists(st.lists(st.integers(), max_size=4), max_size=8), st.slices(40))
def test_flat_is_the_list_of_all_members(parts: list[list[int]], cut: slice) -> None:
    wanted = [member for part in parts for member in part]
    flat = Flat(parts)
    assert list(flat) == wanted
    assert [flat[n] for n in range(len(flat))] == wanted
    assert flat[cut] == wanted[cut]
    assert bool(flat) == bool(wanted)
    if wanted:
        assert flat[-1] == wanted[-1]
    with pytest.raises(IndexError):
        flat[len(wanted)]
