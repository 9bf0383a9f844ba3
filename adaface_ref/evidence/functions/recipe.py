"""The recipe of AdaFace issue 24, as a program in floats."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from mpmath import exp, mpf, workdps

from adaface_ref import numpy_reference
from adaface_ref.evidence.functions.finding import Finding, Floats, Trial


def recipe(x: Floats, m: Any, j: Any, s: Any) -> Floats:
    """CosFace's GST as the thread writes it, in the dtype of its arguments.

    Args:
        x: target cosines, as are all arguments of one dtype.
        m: margin.
        j: rival cosine.
        s: scale.

    Returns:
        (prob - 1) s, with whatever the dtype makes of it.

    Source: mk-minchul, AdaFace issue 24, answer 1.
    """
    x_m = x - m
    with np.errstate(over="ignore", invalid="ignore"):
        prob = np.exp(s * x_m) / (np.exp(s * x_m) + np.exp(s * j))
        return np.asarray((prob - 1) * s)


class _Draw(NamedTuple):
    """Arguments of the recipe, and s (c - m - j) and s max(c - m, j) as drawn."""

    arguments: tuple[Floats, Floats, Floats, Floats]
    ease: Floats
    exponent: Floats

    def words(self, index: int) -> str:
        """The arguments at one point, in decimal."""
        names = ("x", "m", "j", "s")
        values = (f"{float(a[index])!r}" for a in self.arguments)
        return ", ".join(f"{n}={v}" for n, v in zip(names, values, strict=True))


POINTS = 100_000
"""Draws of the recipe's arguments."""


def _draw(seed: int, dtype: Any, most_scale: float) -> _Draw:
    """c and j over [-1, 1], m over [0, 0.5], s over [8, most_scale], in a dtype."""
    random = np.random.default_rng(seed)
    ends = ((-1.0, 1.0), (0.0, 0.5), (-1.0, 1.0), (8.0, most_scale))
    x, m, j, s = (random.uniform(low, high, POINTS).astype(dtype) for low, high in ends)
    margined, j_, s_ = (
        x.astype(float) - m.astype(float),
        j.astype(float),
        s.astype(float),
    )
    return _Draw((x, m, j, s), s_ * (margined - j_), s_ * np.maximum(margined, j_))


def _switches(
    is_so: Floats, at: Floats, never_before: float, always_after: float, draw: _Draw
) -> Finding:
    """Whether something is so nowhere before one threshold and everywhere after one."""
    wrong = np.flatnonzero(is_so & (at < never_before) | ~is_so & (at > always_after))
    detail = f"first at {at[is_so].min():.4f}, missing last at {at[~is_so].max():.4f}"
    witness = draw.words(int(wrong[0])) if wrong.size else ""
    return Finding(not wrong.size, at.size, detail, witness)


def recipe_is_zero_in_float64(
    seed: int, never_before: float = 36.0, always_after: float = 37.5
) -> Finding:
    """Where s (c - m - j) is above 37.5 the recipe is 0; below 36 it is not.

    In exact arithmetic it is never 0. 2^-54, half an ULP below 1, is e^-37.43.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float64, 64)
    zero = recipe(*draw.arguments) == 0
    return _switches(zero, draw.ease, never_before, always_after, draw)


def recipe_is_zero_in_float32(
    seed: int, never_before: float = 15.8, always_after: float = 17.5
) -> Finding:
    """Where s (c - m - j) is above 17.5 the recipe is 0; below 15.8 it is not.

    2^-25, half an ULP below 1, is e^-17.33.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float32, 64)
    zero = recipe(*draw.arguments) == 0
    return _switches(zero, draw.ease, never_before, always_after, draw)


def recipe_is_accurate_in_float64(seed: int, relative: float = 1e-6) -> Finding:
    """Whether the recipe's relative error stays below 1e-6; it loses all at P near 1.

    The truth comes from sixty digits at the worst point, from our reference elsewhere.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float64, 64)
    x, m, j, s = draw.arguments
    truth = numpy_reference.gst("cosface", x, j, scale=s, margin=m)
    error = np.abs(recipe(*draw.arguments) - truth) / np.abs(truth)
    worst = int(np.argmax(error))
    certain = _error_at(*(float(a[worst]) for a in draw.arguments))
    holds = bool(error[worst] <= relative) and certain <= relative
    witness = "" if holds else draw.words(worst)
    return Finding(holds, x.size, f"largest relative error {certain:.3g}", witness)


def _error_at(x: float, m: float, j: float, s: float) -> float:
    got = float(recipe(np.asarray(x), m, j, s))
    with workdps(60):
        truth = -mpf(s) / (1 + exp(mpf(s) * (mpf(x) - mpf(m) - mpf(j))))
        return float(abs(got - truth) / abs(truth))


def _overflows(draw: _Draw) -> Floats:
    x, m, j, s = draw.arguments
    with np.errstate(over="ignore"):
        return np.asarray(np.isinf(np.exp(s * (x - m)) + np.exp(s * j)))


def recipe_overflows_in_float32(
    seed: int, never_before: float = 88.0, always_after: float = 88.73
) -> Finding:
    """Where s max(c - m, j) is above 88.73 the sum of exponentials is infinite.

    ln of the largest float32 is 88.7228; two terms of that size add ln 2 to it.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float32, 256)
    return _switches(_overflows(draw), draw.exponent, never_before, always_after, draw)


def recipe_overflows_in_float16(
    seed: int, never_before: float = 10.38, always_after: float = 11.11
) -> Finding:
    """Where s max(c - m, j) is above 11.11 the sum of exponentials is infinite.

    ln of the largest float16 is 11.0898.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float16, 64)
    return _switches(_overflows(draw), draw.exponent, never_before, always_after, draw)


def recipe_is_finite_in_float32(seed: int, most_scale: float = 128.0) -> Finding:
    """Whether the recipe returns a finite number at every cosine for s up to 128.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float32, most_scale)
    bad = np.flatnonzero(~np.isfinite(recipe(*draw.arguments)))
    detail = f"{bad.size} results are not finite"
    witness = draw.words(int(bad[0])) if bad.size else ""
    return Finding(not bad.size, POINTS, detail, witness)


TRIALS = (
    Trial(
        recipe_is_zero_in_float64,
        "c, j in [-1, 1], m in [0, 0.5], s in [8, 64], all float64",
    ),
    Trial(
        recipe_is_zero_in_float32,
        "c, j in [-1, 1], m in [0, 0.5], s in [8, 64], all float32",
    ),
    Trial(
        recipe_is_accurate_in_float64,
        "c, j in [-1, 1], m in [0, 0.5], s in [8, 64], all float64",
    ),
    Trial(
        recipe_overflows_in_float32,
        "c, j in [-1, 1], m in [0, 0.5], s in [8, 256], all float32",
    ),
    Trial(
        recipe_overflows_in_float16,
        "c, j in [-1, 1], m in [0, 0.5], s in [8, 64], all float16",
    ),
    Trial(
        recipe_is_finite_in_float32,
        "c, j in [-1, 1], m in [0, 0.5], s in [8, 128], all float32",
    ),
)
"""Each with the domain on which it tries its claim."""
