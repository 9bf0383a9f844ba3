"""The only state: AdaFace's norm mean and std, and CurricularFace's t, in NumPy.

Both are frozen: an update returns the next state, and evaluation is not updating.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adaface_ref.errors import domain_error, quoted, shape_error

__all__ = ["Curriculum", "NormStatistics"]

Array = NDArray[np.float64]
Domain = tuple[Callable[[Any], Any], str]

_NOT_NEGATIVE: Domain = (lambda v: (v >= 0) & (v < np.inf), "in [0, inf)")
_POSITIVE: Domain = (lambda v: (v > 0) & (v < np.inf), "in (0, inf)")
_SHARE: Domain = (lambda v: (v >= 0) & (v <= 1), "in [0, 1]")
_SIGNED: Domain = (lambda v: np.abs(v) <= 1, "in [-1, 1]")
_FIELDS: dict[str, Domain] = {
    **dict.fromkeys(("mean", "std"), _NOT_NEGATIVE),
    **dict.fromkeys(("eps", "norm_lower", "norm_upper", "concentration"), _POSITIVE),
    "new_batch_weight": _SHARE,
    "ddof": (lambda v: (v == 0) | (v == 1), "0 (biased) or 1 (unbiased)"),
    "value": _SIGNED,
}


def _check_fields(state: NormStatistics | Curriculum) -> None:
    where = type(state).__name__
    for field in fields(state):
        value, (inside, must) = getattr(state, field.name), _FIELDS[field.name]
        if not isinstance(value, Real) or not inside(_float(value)):
            raise domain_error(field.name, value, must, where)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an int past every float, and so outside every domain
        return np.inf


def _column(argument: str, value: ArrayLike, where: str, domain: Domain) -> Array:
    """`value` as (B,), or its first element outside the domain named."""
    inside, must = domain
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "biuf":  # never parse text, never drop an i
            raise TypeError
    except (RuntimeError, TypeError, ValueError):  # ragged, or a tensor with a gradient
        must = "detached" if getattr(value, "requires_grad", False) else must
        raise domain_error(argument, quoted(value), must, where) from None
    array = given.astype(np.float64)
    if not array.size or array.shape not in ((array.size,), (array.size, 1)):
        raise shape_error(argument, array.shape, "(B,) or (B, 1) with B >= 1", where)
    array = array.reshape(-1)
    good = inside(array)
    if not good.all():
        first = int(np.argmin(good))
        raise domain_error(f"{argument}[{first}]", array[first], must, where)
    return array


def _blend(weight: float, new: float, old: float) -> float:
    return weight * new + (1 - weight) * old


@dataclass(frozen=True)
class NormStatistics:
    """The running mean and std of the feature norms, and the z-hat they give.

    Args:
        mean: running mean of the clipped norms, not negative.
        std: running standard deviation of the clipped norms, not negative.
        new_batch_weight: weight of the NEW batch, in [0, 1]; 1 is no smoothing.
        eps: added to the std, above 0; keeps constant norms finite.
        norm_lower: norms are clipped to [norm_lower, norm_upper], 0 < lower < upper.
        norm_upper: the other end.
        ddof: 1 for the unbiased std, 0 for the biased.
        concentration: h > 0.

    Raises:
        DomainError: one of them outside its domain.

    Source: M. Kim, A. K. Jain, X. Liu, AdaFace (arXiv 2204.00964), eqs. 16, 17. The
    paper prints the weight of the new batch as alpha = 0.99; its code gives it 0.01.
    """

    mean: float = 20.0
    std: float = 100.0
    new_batch_weight: float = 0.01
    eps: float = 1e-3
    norm_lower: float = 1e-3
    norm_upper: float = 100.0
    ddof: int = 1
    concentration: float = 0.333

    def __post_init__(self) -> None:
        _check_fields(self)
        if self.norm_upper <= self.norm_lower:
            must, where = "above norm_lower", "NormStatistics"
            raise domain_error("norm_upper", self.norm_upper, must, where)

    def update(self, norms: ArrayLike) -> NormStatistics:
        """The statistics after a batch; z-hat is taken with these, not the old ones.

        A batch no larger than `ddof` has no such std: the old one is kept and only the
        mean moves.

        Args:
            norms: (B,) or (B, 1), B at least 1, finite and not negative.

        Raises:
            DomainError: a norm that is negative or not finite.
            ShapeError: another shape.
        """
        clipped, weight = self._clipped(norms, "update"), self.new_batch_weight
        mean, std = _blend(weight, float(clipped.mean()), self.mean), self.std
        if clipped.size > self.ddof:
            std = _blend(weight, float(clipped.std(ddof=self.ddof)), std)
        return replace(self, mean=mean, std=std)

    def margin_scaler(self, norms: ArrayLike) -> Array:
        """z-hat of each norm, (B,), with the statistics as they stand.

        Args:
            norms: (B,) or (B, 1), B at least 1, finite and not negative.

        Raises:
            DomainError: a norm that is negative or not finite.
            ShapeError: another shape.
        """
        distance = self._clipped(norms, "margin_scaler") - self.mean
        scaled = self.concentration * (distance / (self.std + self.eps))
        return np.clip(scaled, -1.0, 1.0)

    def _clipped(self, norms: ArrayLike, where: str) -> Array:
        array = _column("norms", norms, where, _NOT_NEGATIVE)
        return np.clip(array, self.norm_lower, self.norm_upper)


@dataclass(frozen=True)
class Curriculum:
    """CurricularFace's t, the running mean of the target cosines.

    Args:
        value: t, in [-1, 1].
        new_batch_weight: weight of the new batch, in [0, 1].

    Raises:
        DomainError: one of them outside its domain.

    Source: Y. Huang et al., CurricularFace: Adaptive Curriculum Learning Loss for Deep
    Face Recognition (arXiv 2004.00288).
    """

    value: float = 0.0
    new_batch_weight: float = 0.01

    def __post_init__(self) -> None:
        _check_fields(self)

    def update(self, target_cosines: ArrayLike) -> Curriculum:
        """The state after a batch.

        Args:
            target_cosines: (B,) or (B, 1), B at least 1, in [-1, 1].

        Raises:
            DomainError: a cosine outside [-1, 1].
            ShapeError: another shape.
        """
        cosines = _column("target_cosines", target_cosines, "update", _SIGNED)
        t = _blend(self.new_batch_weight, float(cosines.mean()), self.value)
        return replace(self, value=t)  # rounding is monotone: no mean passes 1
