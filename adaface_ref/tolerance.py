"""How far a result may be off, each with its reason.

No form of these losses is good to a few ULP everywhere, because the problem itself is
ill-conditioned; a fixed relative tolerance is therefore either blind or unjust. What is
allowed is a small multiple of what one rounding of each input moves, derived from the
spec (`magnitude` and `textbook_magnitude` in its gst module).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

EPSILON = {
    "float64": 2.0**-52,
    "float32": 2.0**-23,
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
}
"""The distance from 1 to the next float."""

SMALLEST_SUBNORMAL = {
    "float64": 2.0**-1074,
    "float32": 2.0**-149,
    "float16": 2.0**-24,
    "bfloat16": 2.0**-133,
}

SMALLEST_NORMAL = {
    "float64": 2.0**-1022,
    "float32": 2.0**-126,
    "float16": 2.0**-14,
    "bfloat16": 2.0**-126,
}

LARGEST = {
    "float64": float(np.finfo(np.float64).max),
    "float32": float(np.finfo(np.float32).max),
    "float16": 65504.0,
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
}

ROUNDINGS = 4
"""How many roundings of each input's size a result may be off.

The best working-precision form reached 2.1 over nine adversarial classes of points.
"""


NORMALISING = 4
"""How many more of them a head may be off that is given embeddings for cosines.

An embedding (c_1, ..., c_C, sqrt(1 - sum c^2)) has its last entry rounded, and for
norms other than 1 all entries (half an eps each); a norm squares and sums at most
C + 1 = 6 entries that are not 0 (7 halves, which its root makes 3.5) and takes a root,
and the quotient rounds once more: in all less than 4 eps of a cosine.
"""

CANCELLING = 16
"""How many roundings of the terms that cancel a GST may be off that is taken back from
the gradient of an embedding.

With v the gradient of the embedding u, GST_j = v_j + u_j r where v_j is g_j less
u_j sum(u g), and r is that sum, from the last entry. A sum of C products is rounded 2 C
times, then multiplied, divided and subtracted (6 more), by half an eps each: 8 eps for
five classes, once in v_j and once in r.
"""


def unit_in_last_place(value: Floats, dtype: str) -> Floats:
    """The distance between the floats of a dtype at a value.

    Args:
        value: array of any shape.
        dtype: a key of EPSILON.

    Returns:
        Array of the same shape; at least the smallest subnormal.
    """
    _, exponent = np.frexp(value)
    spacing = np.ldexp(EPSILON[dtype], exponent.astype(np.int64) - 1)
    spacing = np.where(np.asarray(value) == 0, 0.0, spacing)
    return np.maximum(spacing, SMALLEST_SUBNORMAL[dtype])


def allowed_of_ours(dtype: str, expected: Floats, magnitude: Floats) -> Floats:
    """What our own implementations may be off.

    They compute in float64 whatever the dtype, so that a narrower result adds one
    rounding to it: one ULP of the dtype.

    Args:
        dtype: of the result.
        expected: the true value, array (N,).
        magnitude: the spec's `magnitude` there, array (N,).

    Returns:
        Array (N,).
    """
    inner = ROUNDINGS * EPSILON["float64"] * magnitude + SMALLEST_SUBNORMAL["float64"]
    if dtype == "float64":
        return inner
    return inner + unit_in_last_place(expected, dtype)


def allowed_of_theirs(dtype: str, magnitude: Floats) -> Floats:
    """What a sound head that computes in `dtype` with acos and cos may be off.

    The smallest normal is added because hardware may flush subnormals to zero.

    Args:
        dtype: the working dtype.
        magnitude: the spec's `textbook_magnitude` there, array (N,).

    Returns:
        Array (N,).
    """
    return ROUNDINGS * EPSILON[dtype] * magnitude + SMALLEST_NORMAL[dtype]


def allowed_of_embedded(dtype: str, magnitude: Floats) -> Floats:
    """What the same head may be off that is given embeddings for cosines.

    The smallest normal covers what underflows in the gradient of the embedding's last
    entry, too: it is divided by no less than 2 sqrt(eps) (the gate's reach).

    Args:
        dtype: the working dtype.
        magnitude: the spec's `textbook_magnitude` there, array (N,).

    Returns:
        Array (N,).
    """
    more = NORMALISING * EPSILON[dtype] * magnitude
    return allowed_of_theirs(dtype, magnitude) + more


def allowed_of_cancelling(dtype: str, cosine: Floats, moment: Floats) -> Floats:
    """What a GST may be off besides that is taken back from an embedding's gradient.

    Args:
        dtype: the working dtype.
        cosine: the class's own, array (N,).
        moment: sum |c_k g_k| over all classes, array (N,).

    Returns:
        Array (N,).
    """
    return np.asarray(CANCELLING * EPSILON[dtype] * np.abs(cosine) * moment)


def allowed_of_cross_entropy(dtype: str, logit: Floats, rival: Floats) -> Floats:
    """What a loss value may be off besides that is log(exp f + exp s n) - f.

    The subtraction leaves what the two rounded terms are off, however small it is.

    Args:
        dtype: the working dtype.
        logit: f, array (N,).
        rival: s n, array (N,).

    Returns:
        Array (N,).
    """
    return np.asarray(ROUNDINGS * EPSILON[dtype] * (np.abs(logit) + np.abs(rival)))


def near_zero(dtype: str, condition: Floats, magnitude: Floats) -> Any:
    """Whether a piece's condition is too close to zero to be told in `dtype`.

    Args:
        dtype: the working dtype.
        condition: the value of the condition, array (N,).
        magnitude: the spec's `magnitude` of it, array (N,).

    Returns:
        Array (N,) of bool: there, either neighbouring piece is right.
    """
    return np.abs(condition) <= ROUNDINGS * EPSILON[dtype] * magnitude


def allowed_between_runs(dtype: str, scale: float, value: Floats) -> Floats:
    """What two runs of one sound head on the same ordinary row may differ by.

    Vector and scalar kernels round differently. A logit of size s carries that into
    the exponent of the softmax, which multiplies it by s once more; cosines within
    0.97 multiply it by less than the four roundings that are allowed everywhere.

    Args:
        dtype: the working dtype.
        scale: s.
        value: what one run gave, array of any shape.

    Returns:
        Array of the same shape.
    """
    size = (1 + scale) * (scale + np.abs(value))
    return np.asarray(ROUNDINGS * EPSILON[dtype] * size + SMALLEST_NORMAL[dtype])
