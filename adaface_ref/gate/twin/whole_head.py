"""What a head that makes its own cosines must give, in float64, and what it may be off.

The twin normalises and takes the reference's logits in the head's dialect. Its bounds
follow the roundings of a head that works in `dtype`: n terms summed are off by n
roundings of the sum of their sizes, and what follows from a cosine is off by as much as
it moves over the cosine's own error, kinks and jumps included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from adaface_ref import numpy_reference as reference
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.tolerance import EPSILON, ROUNDINGS, SMALLEST_NORMAL

SETTLED = 8
"""Roundings of a root, a quotient and a product, beside those of a sum's terms."""

MOST = 50.0
"""A logit that is off by more than this leaves nothing of the softmax to compare."""


@dataclass(frozen=True)
class Given:
    """What a head and its twin are given.

    Args:
        embeddings: (B, D).
        weights: (K, C, D): K vectors a class, of which the nearest counts.
        labels: (B,).
        columns: quantities of a row besides its cosines, (B,) each.
        norms: (B,), where they are an argument beside unit embeddings.
    """

    embeddings: Array
    weights: Array
    labels: NDArray[np.int64]
    columns: Mapping[str, Array]
    norms: Array | None = None


@dataclass(frozen=True)
class Bounded:
    """Values and what each of them may be off, arrays of one shape."""

    value: Array
    allowed: Array

    def shares(self, got: Array) -> Array:
        """Errors as shares of what is allowed; inf for NaN."""
        with np.errstate(all="ignore"):
            share = np.abs(got - self.value) / self.allowed
        share = np.where(got == self.value, 0.0, share)
        return np.nan_to_num(share, nan=np.inf, posinf=np.inf)

    def times(self, factor: float | Array) -> Bounded:
        """The same by an exact factor."""
        return Bounded(factor * self.value, np.abs(factor) * self.allowed)


@dataclass(frozen=True)
class Twin:
    """A head's twin in float64.

    Args:
        loss: a loss id.
        profile: the dialect that the head was found to speak.
        parameters: the loss's parameters that all rows share.
        dtype: the dtype that the head works in.
        given: what it is given.
    """

    loss: str
    profile: str
    parameters: Mapping[str, float]
    dtype: str
    given: Given

    @property
    def classes(self) -> int:
        """C."""
        return int(self.given.weights.shape[1])

    @property
    def scale(self) -> float:
        """s."""
        return self.parameters["scale"]

    @property
    def eps(self) -> float:
        """A rounding of the head's dtype, and one of the twin's own."""
        return EPSILON[self.dtype] + EPSILON["float64"]

    @cached_property
    def lengths(self) -> tuple[Array, Array]:
        """|x| of each row (B, 1) and |W| of each vector (K, C, 1)."""
        given = self.given
        rows = np.linalg.norm(given.embeddings, axis=-1, keepdims=True)
        return rows, np.linalg.norm(given.weights, axis=-1, keepdims=True)

    @cached_property
    def units(self) -> tuple[Array, Array]:
        """The unit vectors (B, D) and (K, C, D)."""
        rows, classes = self.lengths
        return self.given.embeddings / rows, self.given.weights / classes

    @cached_property
    def products(self) -> Array:
        """All K cosines of each row and class, (K, B, C)."""
        rows, classes = self.units
        return np.clip(rows @ classes.transpose(0, 2, 1), -1, 1)

    @cached_property
    def nearest(self) -> NDArray[np.int64]:
        """Which of a class's vectors counts, (B, C)."""
        return np.asarray(np.argmax(self.products, axis=0))

    @cached_property
    def cosines(self) -> Bounded:
        """The cosines (B, C)."""
        rows, classes = self.units
        size = np.abs(rows) @ np.abs(classes).transpose(0, 2, 1)
        off = (rows.shape[1] + SETTLED) * self.eps * size
        return Bounded(self._of_nearest(self.products), self._of_nearest(off))

    @cached_property
    def tied(self) -> NDArray[np.bool_]:
        """Where two vectors of a class are equally near, to within rounding: (B, C)."""
        if len(self.products) == 1:
            return np.zeros(self.products.shape[1:], dtype=bool)
        second, first = np.sort(self.products, axis=0)[-2:]
        return np.asarray(first - second <= 2 * self.cosines.allowed)

    @cached_property
    def own(self) -> NDArray[np.bool_]:
        """(B, C): the place of each row's own class."""
        return np.asarray(np.arange(self.classes) == self.given.labels[:, None])

    @cached_property
    def logits(self) -> Bounded:
        """The logits (B, C)."""
        value, *ends = (batch.logits for batch in self._around)
        rounded = ROUNDINGS * self.eps * (self.scale + np.abs(value))
        # On the far side of a jump a head is off by the jump, and by a slope besides.
        slope = np.nan_to_num(np.abs(self.slopes.value), posinf=1e6)
        beside = slope * self.cosines.allowed
        loose = rounded + self.scale * (self._turned + beside)
        return Bounded(value, _moved(value, ends) + loose)

    @cached_property
    def slopes(self) -> Bounded:
        """The logits' derivatives by their cosines, over the scale: (B, C)."""
        value, *ends = (batch.slope for batch in self._around)
        sine = np.maximum(1 - self.cosines.value**2, self.eps)
        rounded = ROUNDINGS * self.eps * (1 + np.abs(value) + np.abs(value - 1) / sine)
        return Bounded(value, _moved(value, ends) + rounded)

    @cached_property
    def residuals(self) -> Bounded:
        """P_j - [j = y] without cancellation, (B, C)."""
        f, off = self.logits.value, self.logits.allowed
        total = _log_sum(f)
        share = np.exp(f - total)
        # Of the logarithm of a share: its own logit's error, and the sum's.
        # The sum may have been made of C terms one after another.
        doubt = off + (_log_sum(f + off) - total) + len(f[0]) * self.eps
        doubt = np.minimum(doubt, MOST)
        rest = np.where(self.own, 0.0, share)
        loose = rest * np.expm1(doubt)
        value = np.where(self.own, -rest.sum(axis=1, keepdims=True), share)
        allowed = np.where(self.own, loose.sum(axis=1, keepdims=True), loose)
        # A head may form P - 1, with P from a logarithm that was rounded beside logits
        # as large as |f|, and a sum of C shares.
        largest = np.abs(f).max(axis=1, keepdims=True)
        formed = ROUNDINGS + largest + len(f[0]) * np.abs(value)
        formed = self.eps * np.where(self.own, formed, 0.0)
        # A share below the smallest normal may be anything down to 0.
        return Bounded(value, allowed + formed + SMALLEST_NORMAL[self.dtype])

    @cached_property
    def row_losses(self) -> Bounded:
        """-ln P of every row, with MagFace's regulariser: (B,)."""
        f, off = self.logits.value, self.logits.allowed
        value = self._around[0].loss
        own = np.where(self.own, off, 0.0).sum(axis=1)
        doubt = own + (_log_sum(f + off) - _log_sum(f))[:, 0] + len(f[0]) * self.eps
        size = np.abs(f).max(axis=1) + np.log(len(f[0])) + np.abs(value)
        return Bounded(value, doubt + ROUNDINGS * self.eps * size)

    @property
    def row_columns(self) -> dict[str, Array]:
        """The loss's parameters for each row, (B,)."""
        size = len(self.given.labels)
        shared = {name: np.full(size, v) for name, v in self.parameters.items()}
        return shared | dict(self.given.columns)

    @cached_property
    def _around(self) -> tuple[reference.Batch, ...]:
        """The reference at the cosines, and at both ends of what a head's may be.

        A clamp's own end 1 - eps is rounded, too.
        """
        value, off = self.cosines.value, self.cosines.allowed
        profile = reference.parse_profile(self.profile)
        asked = [(c, profile) for c in (value, (value - off).clip(-1),
                                        (value + off).clip(max=1))]  # fmt: skip
        if profile.cosine:
            sizes = profile.cosine + self.eps * np.array([-1.0, 1.0])
            sizes = np.maximum(sizes, profile.cosine / 2)
            asked += [(value, profile._replace(cosine=float(size))) for size in sizes]
        return tuple(
            reference.batch(
                self.loss, c, self.given.labels, profile=p, **self.row_columns
            )
            for c, p in asked
        )

    @cached_property
    def _turned(self) -> Array:
        """What a textbook head's acos and cos add to a level F: (B, C).

        The angle is off by a rounding of itself and of pi, times dF/d theta. Where a
        clamp holds the angle the slope is 0, and the angle is rounded all the same:
        dF/d theta is at most the multiplier there.
        """
        cosine = self.cosines.value
        slope = np.abs(self.slopes.value)
        per_angle = slope * np.sqrt((1 - cosine) * (1 + cosine))
        per_angle = np.where(
            slope == 0, self.parameters.get("multiplier", 1), per_angle
        )
        return np.asarray(ROUNDINGS * self.eps * np.pi * np.nan_to_num(per_angle))

    def _of_nearest(self, table: Array) -> Array:
        """The nearest vector's entry of (K, B, C) for each row and class."""
        chosen = np.take_along_axis(table, self.nearest[None], axis=0)
        return np.asarray(chosen[0])


@dataclass(frozen=True)
class TableTwin(Twin):
    """The twin of a head that is given its cosines.

    Args:
        table: the cosines (B, C), classes in their own order.
    """

    table: Array

    @property
    def classes(self) -> int:
        """C."""
        return int(self.table.shape[1])

    @cached_property
    def products(self) -> Array:
        """The cosines as those of one vector a class, (1, B, C)."""
        return self.table[None]

    @cached_property
    def cosines(self) -> Bounded:
        """The cosines, each as a head may round it before it asks for its side."""
        off = ROUNDINGS * self.eps * np.abs(self.table)
        return Bounded(self.table, off)


def _moved(value: Array, ends: list[Array]) -> Array:
    """How far a value moves between the ends of its cosine's error."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.fmax.reduce([np.abs(end - value) for end in ends]))


def _log_sum(levels: Array) -> Array:
    """ln sum exp over the classes, (B, 1)."""
    top = levels.max(axis=1, keepdims=True)
    return np.asarray(top + np.log(np.exp(levels - top).sum(axis=1, keepdims=True)))
