from __future__ import annotations

import pickle

import pytest

from cultivar.core.errors import Dropped, EndpointError, InputError, ItemFailed, RecipeBug, Unparsable

ERRORS = [
    ItemFailed("verifier", "no sandbox"),
    EndpointError("no answer", status=503, kind="503"),
    RecipeBug("it broke", item="abc", path="stage"),
    Unparsable("no number", "no-number"),
    Dropped("low", {"score": 1}),
    InputError("there is no such file"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_whole_from_a_worker(error: Exception) -> None:
    """An exception that cannot be pickled and read again breaks a whole pool of processes."""
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
