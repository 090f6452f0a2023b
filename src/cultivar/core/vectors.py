"""Embeddings as text: how a vector stands in a reply, and so in the journal."""

from __future__ import annotations

import binascii
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable


def packed(vector: Iterable[float]) -> str:
    """Base64 of the vector as little-endian 32-bit floats, as ``encoding_format: base64`` of the embeddings API."""
    values = array("f", vector)
    if sys.byteorder == "big":
        values.byteswap()
    return b64encode(values.tobytes()).decode("ascii")


def unpacked(text: str) -> list[float]:
    """The inverse of ``packed``, to 32 bits; raises ValueError for a text that is no vector."""
    values = array("f")
    try:
        values.frombytes(b64decode(text, validate=True))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(f"no vector: {error}") from None
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()
