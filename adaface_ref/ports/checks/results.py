"""What checks of a port's answers share: other bits, and a result of findings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adaface_ref.ports.pipe.bits import Floats
from adaface_ref.report.report import OK, Finding
from adaface_ref.report.result import Result


def other_bits(first: Floats, second: Floats) -> NDArray[np.intp]:
    """Where two arrays have other bits; widening to float64 keeps bits apart."""
    return np.flatnonzero(first.view(np.int64) != second.view(np.int64))


def result_of(found: Sequence[Finding], detail: str, status: str) -> Result:
    """A result: ok where nothing was found, else a status with the first cause.

    Args:
        found: the violations.
        detail: what was asked.
        status: what a violation is.
    """
    if not found:
        return Result(OK, detail)
    return Result(status, f"{detail}; {found[0].cause}", 0, None, tuple(found))
