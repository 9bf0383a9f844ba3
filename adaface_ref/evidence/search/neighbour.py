"""The nearest float at which something turns from false to true."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np


def border(
    truth: Callable[[float], bool | None], start: float, end: float
) -> tuple[float, float] | None:
    """Neighbouring floats between a failing start and an end: one holds, one fails."""
    first, last = ordinal(start), ordinal(end)
    side = 1 if last >= first else -1
    failing, holding, step = first, None, 1
    while holding is None and failing != last:
        trial = first + side * min(step, abs(last - first))
        answer = truth(float_of(trial))
        if answer is True:
            holding = trial
        elif answer is False:
            failing = trial
        if trial == last:
            break
        step *= 2
    if holding is None:
        return None
    while abs(holding - failing) > 1:
        middle = (holding + failing) // 2
        if truth(float_of(middle)) is False:
            failing = middle
        else:
            holding = middle
    value = float_of(holding)
    return (value, float_of(failing)) if truth(value) is True else None


def ordinal(value: float) -> int:
    """The number of a float in ascending order; both zeros are 0."""
    bits = int(np.float64(value).view(np.int64))
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def float_of(number: int) -> float:
    """The float of a number."""
    return math.copysign(float(np.int64(abs(number)).view(np.float64)), number)
