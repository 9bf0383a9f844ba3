"""Where profiles leave the formula: what to look at to tell one from another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adaface_ref.gate.reading.reading import Array
from adaface_ref.margins import Margins
from adaface_ref.numpy_reference import DEFINED

BESIDE = (-1e-2, -1e-4, 5e-5, 5e-4, 1e-2)
"""Steps from a threshold, in angle or cosine: both sides of every angle clip tried."""


class Threshold(NamedTuple):
    """A place where some rule changes.

    Args:
        words: how a report calls it.
        rules: the rules that change there.
        angle: theta there, (B,); NaN where there is none.
    """

    words: str
    rules: tuple[str, ...]
    angle: Array


def thresholds(loss: str, margins: Margins) -> tuple[Threshold, ...]:
    """The thresholds of every rule that is defined for a loss.

    Args:
        loss: a loss id.
        margins: the loss's margins, (B,) each.

    Returns:
        Thresholds, the one that most rules have first.
    """
    angular, additive = margins.angular, margins.additive
    never = np.full_like(angular, np.nan)
    positive = angular > 0
    past = ("fallback", "fallback-plain", "reflect", "shift", "clip")
    found = [
        Threshold("theta = pi - a", past, np.where(positive, np.pi - angular, never)),
        Threshold(
            "theta = pi - a/2", ("min",), np.where(positive, np.pi - angular / 2, never)
        ),
        Threshold("theta = -a", ("clip",), np.where(angular < 0, -angular, never)),
    ]
    if loss == "cosface":
        inside = np.where(np.abs(additive) <= 1, additive, np.nan)
        found.append(Threshold("c = m", ("easy",), np.arccos(inside)))
    else:
        right = np.where(positive, np.pi / 2, never)
        found.append(Threshold("theta = pi/2", ("easy",), right))
    known = DEFINED[loss]
    return tuple(row for row in found if {*row.rules} & {*known})


def around(loss: str, margins: Margins) -> Array:
    """Target cosines on both sides of every threshold.

    Args:
        loss: a loss id.
        margins: the loss's margins, (B,) each.

    Returns:
        (B, K) cosines in [-1, 1]; 0 where there is no threshold.
    """
    found = []
    for threshold in thresholds(loss, margins):
        angles = threshold.angle[:, None] + np.asarray(BESIDE)
        usable = (angles > 0) & (angles < np.pi)
        found.append(np.where(usable, np.cos(np.where(usable, angles, 0.0)), 0.0))
    return np.concatenate([np.zeros((len(margins.angular), 0)), *found], axis=1)
