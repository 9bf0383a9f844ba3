"""Where profiles leave the formula: what to look at to tell one from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adaface_ref.gate.reading.reading import Array
from adaface_ref.margins import margins_of, on_columns
from adaface_ref.numpy_reference import DEFINED
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES

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


def thresholds(loss: str, columns: Mapping[str, Array]) -> tuple[Threshold, ...]:
    """The thresholds of every rule that is defined for a loss.

    Args:
        loss: a loss id.
        columns: the loss's parameters, (B,) each.

    Returns:
        Thresholds; rules that change at the same place share one.
    """
    found: dict[str, Threshold] = {}
    for words, rule, angle in _changes(loss, columns):
        same = found.setdefault(words, Threshold(words, (), angle))
        found[words] = same._replace(rules=(*same.rules, rule))
    return tuple(found.values())


def _changes(
    loss: str, columns: Mapping[str, Array]
) -> Iterator[tuple[str, str, Array]]:
    """For every rule where it changes, in words and as an angle."""
    row, margins = LOSSES[loss], margins_of(loss, columns)
    if margins is None:
        return
    _, angular, additive = margins
    if "clip" in DEFINED[loss]:
        high = np.where(angular > 0, np.pi - angular, np.nan)
        yield "theta = pi - a", "clip", high
        yield "theta = -a", "clip", np.where(angular < 0, -angular, np.nan)
    for rule in map(RULES.__getitem__, DEFINED[loss]):
        end = rule.threshold(row)
        if end is not None:
            words = "theta = pi/2" if end == 0 else rule.leaves_at
            with np.errstate(invalid="ignore"):
                angle = np.arccos(on_columns(loss, end, columns))
            usable = (angular + additive > 0) & (angle < np.pi)
            yield words, rule.id, np.where(usable, angle, np.nan)


def is_near(
    loss: str, columns: Mapping[str, Array], rule: str, within: float
) -> NDArray[np.bool_]:
    """Which target cosines lie so near a rule's own threshold that their side is moot.

    Args:
        loss: a loss id.
        columns: the target cosine and the loss's parameters, (B,) each.
        rule: an outside rule.
        within: how near, in cosine.

    Returns:
        (B,).
    """
    cosine = columns["target_cosine"]
    found = np.zeros(len(cosine), dtype=bool)
    for place in thresholds(loss, columns):
        if rule in place.rules:
            with np.errstate(invalid="ignore"):
                found |= np.abs(cosine - np.cos(place.angle)) <= within
    return found


def around(loss: str, columns: Mapping[str, Array]) -> Array:
    """Target cosines on both sides of every threshold.

    Args:
        loss: a loss id.
        columns: the loss's parameters, (B,) each.

    Returns:
        (B, K) cosines in [-1, 1]; 0 where there is no threshold.
    """
    found = []
    for threshold in thresholds(loss, columns):
        angles = threshold.angle[:, None] + np.asarray(BESIDE)
        usable = (angles > 0) & (angles < np.pi)
        found.append(np.where(usable, np.cos(np.where(usable, angles, 0.0)), 0.0))
    return np.concatenate([np.zeros((len(columns["scale"]), 0)), *found], axis=1)
