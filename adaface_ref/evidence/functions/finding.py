"""What a function of ours found about a claim that no formula states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Floats = np.ndarray[Any, np.dtype[Any]]


class Finding(NamedTuple):
    """What was found about a claim.

    Args:
        holds: whether no point contradicts it.
        points: points tried.
        detail: the figures found, in one line.
        witness: a point that contradicts it.
    """

    holds: bool
    points: int
    detail: str
    witness: str = ""


class Trial(NamedTuple):
    """A function that decides a claim, and where it tries it.

    Args:
        function: takes a seed.
        domain: every input with its value or interval, in words.
    """

    function: Callable[[int], Finding]
    domain: str
