"""Embeddings, class weights, labels and upstream gradients, drawn for a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adaface_ref.gate.twin.whole_head import Given
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.points import in_dtype


@dataclass(frozen=True)
class Shape:
    """The size of a batch.

    Args:
        rows: B.
        classes: C.
        size: D.
        order: how the labels lie.
    """

    rows: int
    classes: int
    size: int
    order: Literal["mixed", "sorted", "of one class"] = "mixed"


SHAPES = (
    Shape(1, 2, 8),
    Shape(7, 3, 3),
    Shape(2, 5, 64, "of one class"),
    Shape(33, 11, 8, "sorted"),
    Shape(11, 11, 11),
    Shape(129, 129, 64),
    Shape(300, 129, 8),
    Shape(7, 1000, 512),
    Shape(2, 70_000, 8),
)
"""Fewer, as many and more rows than classes, and entries of an embedding likewise;
labels past what 8 and 16 bits hold."""

SPECIAL_LABELS = (0, 255, 256, 32_767, 32_768, 65_535, 65_536)
"""Labels at which a narrow integer wraps around; C - 1 besides."""

WEIGHT_LENGTHS = (0.1, 10.0)
EMBEDDING_LENGTHS = (1e-4, 1e3)
NORMS = (5.0, 120.0)
"""Lengths where MagFace reads the norm: inside and outside of what it clips."""

NEAREST = {"float64": 2.0**-12, "float32": 2.0**-5}
"""The least angle to an embedding's own class, or to its opposite: next to a pole the
slope of an angular margin has no bound, and the checks of poles look there."""


def draw(
    shape: Shape,
    seed: int,
    dtype: str,
    *,
    centres: int = 1,
    lengths: tuple[float, float] | None = None,
) -> Given:
    """Draw what a head is given.

    Args:
        shape: how many rows, classes and entries.
        seed: decides every number.
        dtype: all numbers are values of it.
        centres: vectors a class.
        lengths: of embeddings, where the loss reads them.

    Returns:
        Random vectors of random lengths. The rows' cosines with their own classes range
        over (-1, 1); one row is orthogonal to its class, one nearly equal to it.
    """
    random = np.random.default_rng([seed, shape.rows, shape.classes, shape.size])
    weights = random.normal(size=(centres, shape.classes, shape.size))
    weights *= _lengths(random, WEIGHT_LENGTHS, (centres, shape.classes, 1)) / (
        np.linalg.norm(weights, axis=-1, keepdims=True)
    )
    weights = in_dtype(weights, dtype)
    labels = draw_labels(random, shape)
    own = weights[0, labels]
    own = own / np.linalg.norm(own, axis=1, keepdims=True)
    beside = random.normal(size=own.shape)
    beside -= (beside * own).sum(axis=1, keepdims=True) * own
    beside /= np.linalg.norm(beside, axis=1, keepdims=True)
    angle = _angles(random, shape.rows, NEAREST[dtype])[:, None]
    length = _lengths(random, lengths or EMBEDDING_LENGTHS, (shape.rows, 1))
    rows = length * (np.cos(angle) * own + np.sin(angle) * beside)
    return Given(in_dtype(rows, dtype), weights, labels, {})


def draw_cosines(random: np.random.Generator, shape: Shape, dtype: str) -> Array:
    """Cosines for a head that is given them, target first: (B, C).

    Args:
        random: decides every number.
        shape: how many rows and classes.
        dtype: all numbers are values of it.

    Returns:
        The target's range over (-1, 1), the others' are those of random directions;
        every second row has a rival near its target, so that gradients are not all 0.
    """
    target = np.cos(_angles(random, shape.rows, NEAREST[dtype]))
    others = random.normal(0, 0.3, (shape.rows, shape.classes - 1)).clip(-0.95, 0.95)
    rival = target - random.uniform(0.05, 0.6, shape.rows)
    others[::2, 0] = rival[::2].clip(-0.95)
    return in_dtype(np.concatenate([target[:, None], others], axis=1), dtype)


def draw_labels(random: np.random.Generator, shape: Shape) -> NDArray[np.int64]:
    """Labels: repeated, and special ones where there are such classes."""
    if shape.order == "of one class":
        return np.full(shape.rows, random.integers(1, shape.classes))
    last = shape.classes - 1
    special = [label for label in (*SPECIAL_LABELS, last) if label <= last]
    labels = random.integers(0, shape.classes, shape.rows)
    if shape.classes > shape.rows:
        special = special[::-1]
    count = min(len(special), (shape.rows + 1) // 2)
    labels[:count] = special[:count]
    if shape.rows > 6:
        labels[-2:] = labels[0]
    if shape.order == "sorted":
        return np.sort(labels)
    return np.asarray(random.permutation(labels))


def draw_upstream(seed: int, shape: tuple[int, ...], dtype: str) -> Array:
    """An upstream gradient that differs by row, mixed in sign.

    Args:
        seed: decides every number.
        shape: of the logits (B, C), or of the rows' losses (B,).
        dtype: the numbers are values of it.

    Returns:
        Numbers of size 1/2 to 2.
    """
    random = np.random.default_rng([seed, *shape, 7])
    sign = np.where(random.random(shape) < 0.5, -1.0, 1.0)
    return in_dtype(sign * 2 ** random.uniform(-1, 1, shape), dtype)


def _angles(random: np.random.Generator, rows: int, least: float) -> Array:
    """Angles between a row and its own class, one in each of as many strata."""
    angle = np.pi * (random.permutation(rows) + random.uniform(0.1, 0.9, rows)) / rows
    if rows > 1:
        angle[0] = np.pi / 2
    if rows > 4:
        angle[1] = least
    return np.asarray(angle.clip(least, np.pi - least))


def _lengths(
    random: np.random.Generator, ends: tuple[float, float], shape: tuple[int, ...]
) -> Array:
    """Lengths, uniform in the logarithm."""
    low, high = np.log(ends)
    return np.asarray(np.exp(random.uniform(low, high, shape)))
