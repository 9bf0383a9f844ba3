"""Floats as they travel: big-endian IEEE bit patterns in lower-case hex."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

KINDS = {"float64": ">f8", "float32": ">f4"}
"""numpy's name of each dtype as it travels."""

DIGITS = {"float64": 16, "float32": 8}
"""Hex digits of one value."""

_HEX = re.compile("[0-9a-f]*")


def encode(values: Any, dtype: str) -> str:
    """Bit patterns of values, one after the other.

    Args:
        values: a number or an array (N,); for float32 they are rounded to it.
        dtype: float64 or float32.

    Returns:
        N times 16 or 8 hexadecimal digits.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return np.atleast_1d(values).astype(KINDS[dtype]).tobytes().hex()


def decode(text: str, dtype: str) -> Floats:
    """Values of bit patterns.

    Args:
        text: as `encode` gives it.
        dtype: float64 or float32.

    Returns:
        Array (N,), widened to float64.

    Raises:
        ValueError: other characters, or half a value at the end.
    """
    if not _HEX.fullmatch(text):
        raise ValueError("must be lower-case hexadecimal digits")
    if len(text) % DIGITS[dtype]:
        raise ValueError(f"must be {DIGITS[dtype]} digits a value")
    found = np.frombuffer(bytes.fromhex(text), KINDS[dtype])
    with np.errstate(invalid="ignore"):
        return found.astype(np.float64)
