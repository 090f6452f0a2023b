from __future__ import annotations

import pickle

from cultivar.core.errors import ItemFailed


def test_a_failed_item_comes_back_from_a_worker() -> None:
    """An exception that cannot be pickled and read again breaks a whole pool of processes."""
    back = pickle.loads(pickle.dumps(ItemFailed("verifier", "no sandbox")))
    assert (back.kind, str(back)) == ("verifier", "no sandbox")
