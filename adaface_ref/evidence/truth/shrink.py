"""The simplest point that still fails.

One coordinate at a time, the recommended value first, then zero, one and numbers of few
digits; the first that keeps the failure is taken, until nothing gets simpler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from adaface_ref.points import COSINES, in_dtype, recommended

PLAIN = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 0.25, -0.25, 0.75, -0.75)
"""Tried after the recommended value."""

_NEAR_ONE = (0.5, 0.25, 0.75, 0.875, 0.9, 0.9375, 0.96875, 0.99)
PLAIN_COSINES = (0.0, *(sign * x for x in _NEAR_ONE for sign in (1, -1)), 1.0, -1.0)
"""Tried first for a cosine; the poles last, where little can be compared."""


NEXT_TO_ONE = tuple(float(f"0.{'9' * nines}") for nines in range(3, 16))
"""Tried next for a cosine next to a pole."""


def simplest(
    point: Mapping[str, float],
    fails: Callable[[dict[str, float]], bool],
    loss: str,
    dtype: str = "float64",
) -> dict[str, float]:
    """Shrinks a failing point.

    Args:
        point: values by name; it must fail.
        fails: whether a point fails; not called with one outside a domain if it raises
            ValueError, which counts as not failing.
        loss: whose recommended values are tried first.
        dtype: cosines stay values of it.

    Returns:
        A point that fails, in which no coordinate alone can be made simpler.
    """
    usual = recommended(loss)
    best = dict(point)
    changed = True
    while changed:
        changed = False
        for name in best:
            for value in _simpler(name, best[name], usual, dtype):
                trial = {**best, name: value}
                if _fails(fails, trial):
                    best, changed = trial, True
                    break
    return best


def _fails(fails: Callable[[dict[str, float]], bool], point: dict[str, float]) -> bool:
    try:
        return fails(point)
    except ValueError:
        return False


def _simpler(
    name: str, value: float, usual: Mapping[str, float], dtype: str
) -> Iterator[float]:
    """Candidates before `value`, the simplest first."""
    tried = set()
    for candidate in _candidates(name, value, usual):
        if name in COSINES:
            candidate = float(in_dtype(np.asarray([candidate]), dtype)[0])
        if candidate == value:
            return
        if candidate not in tried:
            tried.add(candidate)
            yield candidate


def _candidates(name: str, value: float, usual: Mapping[str, float]) -> Iterator[float]:
    if name in usual:
        yield usual[name]
    yield from PLAIN_COSINES if name in COSINES else PLAIN
    if name in COSINES and abs(value) > NEXT_TO_ONE[0]:
        yield from (math.copysign(cosine, value) for cosine in NEXT_TO_ONE)
    for digits in range(1, 17):
        yield float(f"{value:.{digits}g}")
        if abs(value) > 0.5:
            yield math.copysign(1 - float(f"{1 - abs(value):.{digits}g}"), value)
    yield value
