"""Findings of the two usual kinds: a value that is off, and one that is not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping

from adaface_ref.report.report import Finding


def wrong_value(
    claim: str,
    inputs: Mapping[str, float],
    dtype: str,
    got: float,
    want: float,
    allowed: float,
    cause: str,
    snippet: str,
) -> Finding:
    """A value that is further from another than is allowed.

    Args:
        claim, inputs, dtype, got, allowed, cause, snippet: as a Finding has them.
        want: what it should have been.
    """
    error = abs(got - want)
    return Finding(claim, inputs, dtype, got, want, error, allowed, cause, snippet)


def infinite_value(
    claim: str,
    inputs: Mapping[str, float],
    dtype: str,
    got: float,
    want: str,
    cause: str,
    snippet: str,
) -> Finding:
    """A value that is NaN or infinite where it must not be.

    Args:
        claim, inputs, dtype, got, cause, snippet: as a Finding has them.
        want: what it should have been, in words.
    """
    nowhere = (math.inf, math.nan)
    return Finding(claim, inputs, dtype, got, want, *nowhere, cause, snippet)
