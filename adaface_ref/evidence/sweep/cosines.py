"""Every cosine of a dtype, numbered in ascending order, 0 for +-0."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import torch
from sympy import Expr, Rational

from adaface_ref.errors import domain_error
from adaface_ref.evidence.sweep.error_nodes import constant_ball


class Format(NamedTuple):
    """A dtype whose values, read as integers, ascend from +0 to 1.

    Args:
        one: the bits of 1, which is the number of values in (0, 1].
        tiny: the least value above 0.
        integers: the dtype of the bits.
        floats: the dtype itself.
    """

    one: int
    tiny: float
    integers: torch.dtype
    floats: torch.dtype


FORMATS: Mapping[str, Format] = {
    "float32": Format(0x3F800000, 2.0**-149, torch.int32, torch.float32),
    "float16": Format(0x3C00, 2.0**-24, torch.int16, torch.float16),
    "bfloat16": Format(0x3F80, 2.0**-133, torch.int16, torch.bfloat16),
}

Exact: TypeAlias = float | Expr


def cosine_count(
    dtype: str,
    low: Exact = -1.0,
    high: Exact = 1.0,
    low_open: bool = False,
    high_open: bool = False,
) -> int:
    """How many values of a dtype lie in a range of cosines, +-0 counted once.

    Args:
        dtype: a key of FORMATS.
        low: the lower end, exact.
        high: the upper end, exact.
        low_open: whether the lower end is left out.
        high_open: whether the upper end is left out.

    Returns:
        The count; 0 for an empty range.
    """
    return len(indices_of(dtype, low, high, low_open, high_open))


def indices_of(
    dtype: str, low: Exact, high: Exact, low_open: bool, high_open: bool
) -> range:
    """The numbers of the cosines in a range: 0 is 0, `one` is 1, -`one` is -1.

    Args:
        dtype, low, high, low_open, high_open: as in `cosine_count`.

    Returns:
        A range.

    Raises:
        DomainError: for an unknown dtype, or an end that no float can be told from.
    """
    if dtype not in FORMATS:
        raise domain_error("dtype", dtype, f"one of {', '.join(FORMATS)}", "sweep")
    one = FORMATS[dtype].one
    every = range(-one, one + 1)

    def start(end: Exact, after: bool) -> int:
        """The first cosine at `end` or above it; after it, if that is asked."""
        least = 1 if after else 0
        found = bisect_left(
            every, True, key=lambda i: _compare(cosine_at(dtype, i), end) >= least
        )
        return every.start + found

    return range(start(low, low_open), start(high, not high_open))


def _compare(cosine: float, end: Exact) -> int:
    """The sign of cosine - end."""
    exact = end if isinstance(end, Expr) else Rational(*end.as_integer_ratio())
    apart = Rational(*cosine.as_integer_ratio()) - exact
    if apart.is_Rational:
        return int(apart.p > 0) - int(apart.p < 0)
    ball = constant_ball(apart)
    if ball > 0 or ball < 0:
        return int(ball > 0) - int(ball < 0)
    raise domain_error("range", end, "a number that can be told from a float", "sweep")


def cosine_at(dtype: str, index: int) -> float:
    """The cosine of a number.

    Args:
        dtype: a key of FORMATS.
        index: 0 for 0, growing with the cosine.

    Returns:
        The cosine, exact.
    """
    return float(cosines_of(dtype, range(index, index + 1), "cpu")[0])


def cosines_of(dtype: str, part: range, device: str) -> torch.Tensor:
    """The cosines of a range of numbers.

    Args:
        dtype: a key of FORMATS.
        part: numbers.
        device: a torch device.

    Returns:
        Tensor (len(part),) of float64, exact.
    """
    row = FORMATS[dtype]
    bits = torch.arange(part.start, part.stop, dtype=row.integers, device=device)
    cosines = bits.abs_().view(row.floats).double()
    cosines[: max(0, -part.start)].neg_()
    return cosines
