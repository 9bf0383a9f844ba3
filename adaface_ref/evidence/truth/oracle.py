"""The certified value of any spec expression at exact inputs.

Balls at rising precision, until the ball is narrower than half a unit in the last place
of the asked dtype, or an honest "undecided". Inputs are the floats as they are: exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx

from adaface_ref.compiler import Compiled
from adaface_ref.evidence.truth.evaluate import Formula, arcs_of, formula, inputs_of

Floats = np.ndarray[Any, np.dtype[np.float64]]

CERTIFIED, POLE, UNDECIDED = 0, 1, 2

PRECISIONS = (128, 256, 512, 1024, 2048, 4096)
"""Bits tried in turn."""

SINGULAR = ("slope", "gst", "slope_rate", "gst_rate")
"""What divides by the angle's sine, and is left out at c = +-1."""

BITS = {"float64": 56, "float32": 27, "bfloat16": 11, "float16": 14}
"""Relative accuracy at which a ball is narrower than half an ULP of the dtype."""

SMALLEST = {"float64": -1077, "float32": -152, "bfloat16": -136, "float16": -27}
"""Exponent of a radius that is below a quarter of the dtype's smallest subnormal."""


class Certified(NamedTuple):
    """Certified values of N points.

    Args:
        value: the middle of the ball in float64; with the dtype's half ULP asked for,
            the truth lies strictly between the dtype's two floats beside it. NaN where
            the status is not CERTIFIED.
        status: CERTIFIED, POLE or UNDECIDED.
        kink: whether a border between two pieces could not be told from the point.
    """

    value: Floats
    status: np.ndarray[Any, np.dtype[np.int8]]
    kink: np.ndarray[Any, np.dtype[np.bool_]]


def certify(
    quantity: str,
    loss: str,
    profile: str,
    columns: Mapping[str, Any],
    dtype: str = "float64",
) -> Certified:
    """The certified value of one quantity at every point.

    Args:
        quantity: a key of the spec's QUANTITIES.
        loss: a loss id.
        profile: a profile string.
        columns: arrays (N,) or numbers by name; taken as exact.
        dtype: half of this dtype's ULP is the width to reach.

    Returns:
        The values; at c = +-1 with a singular slope the status is POLE.
    """
    arcs = arcs_of(loss, columns)
    compiled = formula(quantity, loss, profile, arcs, "value", "balls")
    inputs = inputs_of(columns, profile)
    size = int(np.broadcast(*map(np.atleast_1d, inputs.values())).size)
    arrays = [
        np.broadcast_to(np.asarray(inputs[name], dtype=np.float64), size)
        for name in compiled.arguments
    ]
    floats = formula(quantity, loss, profile, arcs, "value", "numpy")
    settled = _settled_case(floats, arrays, size)
    result = Certified(
        np.full(size, np.nan),
        np.full(size, UNDECIDED, dtype=np.int8),
        np.zeros(size, dtype=np.bool_),
    )
    before = ctx.prec
    try:
        left = np.arange(size)
        for precision in PRECISIONS:
            ctx.prec = precision
            left = _attempt(compiled, settled, arrays, left, dtype, result)
            if not left.size:
                break
    finally:
        ctx.prec = before
    if quantity in SINGULAR and "target_cosine" in compiled.arguments:
        cosine = arrays[compiled.arguments.index("target_cosine")]
        result.status[left[np.abs(cosine[left]) == 1.0]] = POLE
    return result


def _settled_case(floats: Formula, arrays: Sequence[Floats], size: int) -> Any:
    """The case of each point where working precision settles it beyond doubt, else -1.

    The expressions of a `where` are sums of a few bounded terms, good to 1e-12 of
    their size; a value above CLEAR has the right sign.
    """
    case = np.full(size, -2)
    for index, where in enumerate(floats.where):
        holds, fails = np.ones(size, bool), np.zeros(size, bool)
        with np.errstate(all="ignore"):
            for part in where(*arrays):
                holds &= part > CLEAR
                fails |= part < -CLEAR
        case[(case == -2) & holds] = index
        case[(case == -2) & ~fails] = -1
    return case


CLEAR = 1e-6
"""Above this a case's condition needs no balls."""


def _attempt(
    compiled: Formula,
    settled: Any,
    arrays: Sequence[Floats],
    which: Any,
    dtype: str,
    result: Certified,
) -> Any:
    """Evaluates at the precision in force; returns the points still too wide."""
    bits, smallest = BITS[dtype], arb(2) ** SMALLEST[dtype]
    done, values, left = [], [], []
    # Lazily, so that no tuple outlives its turn for the garbage collector to count.
    points = zip(*(array[which].tolist() for array in arrays), strict=True)
    rows = points if arrays else ((),) * which.size
    indices, kinds = which.tolist(), settled[which].tolist()
    for index, case, point in zip(indices, kinds, rows, strict=True):
        inputs = map(arb, point)
        if case >= 0:
            ball = compiled.value[case](*inputs)[0]
        else:
            ball, result.kink[index] = ball_at(compiled, list(inputs))
        if type(ball) is not arb:
            ball = arb(ball)
        if ball.rel_accuracy_bits() < bits and not ball.rad() < smallest:
            left.append(index)
            continue
        done.append(index)
        values.append(float(ball))
    result.value[done] = values
    result.status[done] = CERTIFIED
    return np.asarray(left, dtype=np.int64)


def ball_at(compiled: Formula, inputs: Sequence[arb]) -> tuple[arb, bool]:
    """The union of all cases that may hold, and whether they are several.

    Args:
        compiled: a formula compiled to balls.
        inputs: balls in the order of its arguments.

    Returns:
        An enclosure of the value at the precision in force.
    """
    found: list[Compiled] = []
    for where, value in zip(compiled.where, compiled.value, strict=True):
        signs = where(*inputs)
        if any(part <= 0 for part in signs):
            continue
        found.append(value)
        if all(part > 0 for part in signs):
            break
    balls = [arb(value(*inputs)[0]) for value in found]
    union = balls[0]
    for ball in balls[1:]:
        union = union.union(ball)
    return union, len(balls) > 1


def piece_at(
    compiled: Formula, row: int, inputs: Mapping[str, float], bits: int = 512
) -> arb:
    """The value of one case, whether or not it applies.

    Args:
        compiled: a formula compiled to balls.
        row: which case.
        inputs: exact values by name.
        bits: the precision.

    Returns:
        A ball.
    """
    before = ctx.prec
    try:
        ctx.prec = bits
        arguments = [arb(inputs[name]) for name in compiled.arguments]
        return arb(compiled.value[row](*arguments)[0])
    finally:
        ctx.prec = before


def enclosure(
    quantity: str, loss: str, profile: str, point: Mapping[str, float], bits: int = 256
) -> arb:
    """One quantity at one point, as a ball, to be printed.

    Args:
        quantity: a key of the spec's QUANTITIES.
        loss: a loss id.
        profile: a profile string.
        point: values by name, exact.
        bits: the precision.

    Returns:
        A ball that encloses the true value; not finite at a pole.
    """
    compiled = formula(quantity, loss, profile, arcs_of(loss, point), "value", "balls")
    inputs = inputs_of(point, profile)
    before = ctx.prec
    try:
        ctx.prec = bits
        return ball_at(compiled, [arb(inputs[name]) for name in compiled.arguments])[0]
    finally:
        ctx.prec = before
