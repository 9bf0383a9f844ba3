"""The one likely cause: the known fault that explains what was given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adaface_ref.faults.parts import Mask, Parts, Values, right
from adaface_ref.faults.rows import faults_of

SHARE = 0.9
"""Share of the core's points that a fault must explain."""

RIGHT_CORE = "the core is right: look at where this point lies"

UNNAMED = "no known fault gives these values"


def likely_cause(parts: Parts, explains: Callable[[Values], Mask], core: Mask) -> str:
    """Name the known fault that explains what was given at some points.

    Args:
        parts: what right values are made of there, (N,) each.
        explains: at which points some values are those that were given, (N,).
        core: the points that count: the others belong to profiles, not to faults.

    Returns:
        The fault's words, RIGHT_CORE, or UNNAMED where neither explains enough.
    """

    def share(values: Callable[[Parts], Values]) -> float:
        with np.errstate(all="ignore"):
            explained = explains(values(parts))
        return float(explained[core].mean()) if core.any() else 0.0

    best, words = share(right), RIGHT_CORE
    for fault in faults_of(parts.columns):
        found = share(fault.values)
        if found > best:
            best, words = found, fault.words
    return words if best >= SHARE else UNNAMED
