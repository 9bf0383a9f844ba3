"""Points to test at: a seed becomes ten thousand points plus the corners.

Hypothesis draws the seed of a block, since drawing every float by itself costs half a
millisecond a point; a failing point is shrunk by itself (`evidence.shrink`). A third of
a block is uniform; the rest sits where these losses go wrong: next to the poles, next
to the zeros of the slope, across the decision boundary, where results are subnormal,
and next to the edges of the clamps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sympy import Expr, Interval

from adaface_ref.errors import domain_error
from adaface_ref.margins import Margins, margins_of, on_columns
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES, parse
from adaface_ref.spec.symbols import QUANTITIES
from adaface_ref.tolerance import unit_in_last_place

if TYPE_CHECKING:
    from hypothesis import strategies as st

__all__ = ["batch", "block", "recommended", "scalars", "seeds"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Columns = dict[str, Floats]
Box = Mapping[str, float | tuple[float, float]]

COSINES = ("target_cosine", "rival_cosine", "other_cosine")

WHOLE_MULTIPLIERS = (1, 2, 3, 4, 6, 8)
MULTIPLIERS = (0.5, 0.9, 1.0, 1.35, 2.0)
"""One a block: where arcs are pieces, all points share one number, which is whole."""

SPECIAL_SCALERS = (-1.0, 0.0, 1.0)

THRESHOLD_STEPS = (0, 1, -1, 2, -2, 4, -4)
"""So many floats from a rule's threshold: the corners there."""


def recommended(loss: str) -> dict[str, float]:
    """The recommended value of every parameter of a loss that has one.

    Args:
        loss: a loss id.

    Returns:
        Values by name, as floats.
    """
    row = LOSSES[loss]
    found = {}
    for symbol in row.parameters:
        value = row.recommended.get(symbol, QUANTITIES[symbol.name].recommended)
        if value is not None:
            found[symbol.name] = float(value)
    return found


@cache
def range_of(name: str) -> tuple[float, float]:
    """Where a quantity is drawn unless a box says otherwise.

    Args:
        name: a quantity.

    Returns:
        The part of its domain that occurs, or all of a domain that is closed.

    Raises:
        DomainError: for a quantity whose row does not say, and whose domain is open.
    """
    row = QUANTITIES[name]
    if row.occurs is not None:
        return row.occurs
    if not row.domain.is_closed:
        must = "given a part of its domain that occurs in the table of quantities"
        raise domain_error(name, "drawn", must, "points")
    return float(row.domain.start), float(row.domain.end)


def in_dtype(values: Floats, dtype: str) -> Floats:
    """Rounds to the nearest value of a dtype, ties to even, kept as float64.

    Args:
        values: array of any shape.
        dtype: float64, float32, float16 or bfloat16.

    Returns:
        Array of the same shape.
    """
    if dtype == "bfloat16":
        bits = values.astype(np.float32).view(np.uint32)
        even = (bits >> np.uint32(16)) & np.uint32(1)
        rounded = (bits + np.uint32(0x7FFF) + even) & np.uint32(0xFFFF0000)
        return rounded.view(np.float32).astype(np.float64)
    return values.astype(dtype).astype(np.float64)


def block(
    loss: str,
    seed: int,
    *,
    profile: str = "pure",
    size: int = 10_000,
    dtype: str = "float64",
    box: Box | None = None,
) -> Columns:
    """Points over every input of a loss.

    Args:
        loss: a loss id.
        seed: any non-negative integer; the same seed gives the same points.
        profile: whose clamp edges are visited.
        size: how many points besides the corners.
        dtype: the cosines are values of it; parameters are never rounded.
        box: a number fixes a quantity, a pair narrows its range.

    Returns:
        Arrays (N,) of float64 by name, the corners first: the three cosines and all
        parameters of the loss. AdaFace's margin scaler is clip(h z, -1, 1) of a drawn
        h and z, so that a part of it lies at its ends. The rival cosine is at least
        the other class's logit / scale, as it must be.
    """
    rng = np.random.default_rng([seed, list(LOSSES).index(loss)])
    box = dict(box or {})
    corners = _corner_cosines(profile, dtype)
    total = size + corner_count(loss, profile, dtype)
    columns = _uniform(loss, rng, total, box)
    if "margin_scaler" in columns.keys() - box.keys():
        columns["margin_scaler"] = _scaler(rng, columns, box)
    if "target_cosine" not in box:
        _place_cosines(loss, rng, columns, corners)
    _place_corners(loss, columns, corners, box, _threshold_steps(loss, profile))
    _place_rival(rng, columns, box)
    if "target_cosine" not in box:
        _place_thresholds(loss, rng, columns, profile, dtype)
    for name in COSINES:
        columns[name] = in_dtype(columns[name], dtype)
    return columns


def corner_count(loss: str, profile: str = "pure", dtype: str = "float64") -> int:
    """How many of a block's first points are corners."""
    steps = len(_threshold_steps(loss, profile))
    return len(SPECIAL_SCALERS) * (_corner_cosines(profile, dtype).size + steps)


def _threshold(loss: str, profile: str) -> Expr | None:
    return RULES[parse(profile).rule].threshold(LOSSES[loss])


def _threshold_steps(loss: str, profile: str) -> tuple[int, ...]:
    return () if _threshold(loss, profile) is None else THRESHOLD_STEPS


def _uniform(loss: str, rng: np.random.Generator, total: int, box: Box) -> Columns:
    names = (*COSINES, *(symbol.name for symbol in LOSSES[loss].parameters))
    columns = {}
    for name in names:
        if name == "multiplier" and name not in box:
            columns[name] = np.full(total, float(rng.choice(_multipliers(loss))))
            continue
        limits = box[name] if name in box else range_of(name)
        low, high = limits if isinstance(limits, tuple) else (limits, limits)
        if name == "scale" and low < high:
            columns[name] = np.exp(rng.uniform(math.log(low), math.log(high), total))
        else:
            columns[name] = rng.uniform(low, high, total)
        if low == high:
            columns[name] = np.full(total, float(low))
    return columns


def _multipliers(loss: str) -> tuple[float, ...]:
    return WHOLE_MULTIPLIERS if LOSSES[loss].has_arcs else MULTIPLIERS


def _scaler(rng: np.random.Generator, columns: Columns, box: Box) -> Floats:
    """clip(h z, -1, 1) of a drawn concentration and standard norm."""
    size = columns["target_cosine"].size
    drawn = []
    for name in ("concentration", "standard_norm"):
        limits = box[name] if name in box else range_of(name)
        low, high = limits if isinstance(limits, tuple) else (limits, limits)
        drawn.append(rng.uniform(low, high, size))
    return np.clip(drawn[0] * drawn[1], -1.0, 1.0)


def _corner_cosines(profile: str, dtype: str) -> Floats:
    """The poles, their neighbours, zero, short decimals and the clamps' edges."""
    edges = [1.0]
    parsed = parse(profile)
    of_others = 1 - math.cos(parsed.angle) if parsed.angle_of == "all" else 0.0
    # 1 - c^2 is the floor where 1 - |c| is half of it, nearly.
    gaps = {parsed.cosine, of_others, parsed.floor / 2}
    edges += [1.0 - gap for gap in gaps if gap]
    near = {0.0, 0.5, 0.9375, 0.99, 0.999, 1e-8, 5e-324}
    eps = 2.0 ** -{"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}[dtype]
    for edge in edges:
        near |= {edge, edge - eps, edge - 2 * eps, edge - 4 * eps}
        near |= {edge + 2 * eps} if edge + 2 * eps < 1 else set()
    values = np.asarray(sorted({*near, *(-x for x in near)}))
    return np.unique(np.clip(in_dtype(values, dtype), -1, 1))


def _place_cosines(
    loss: str, rng: np.random.Generator, columns: Columns, corners: Floats
) -> None:
    """Moves two fifths of the cosines to the poles and to the zeros of the slope."""
    total = columns["target_cosine"].size
    kind = rng.integers(0, 10, total)
    cosine = columns["target_cosine"]
    side = rng.choice((-1.0, 1.0), total)
    near = side * (1 - 10.0 ** rng.uniform(-16, -1, total))
    cosine[kind == 0] = near[kind == 0]
    cosine[kind == 1] = rng.choice(corners, total)[kind == 1]
    turned = _slope_zero(loss, columns, side)
    nudge = 1 + side * 10.0 ** rng.uniform(-16.5, -1, total)
    zero = np.clip(np.cos(turned * nudge), -1, 1)
    cosine[(kind == 2) | (kind == 3)] = zero[(kind == 2) | (kind == 3)]


def _place_thresholds(
    loss: str, rng: np.random.Generator, columns: Columns, profile: str, dtype: str
) -> None:
    """Puts each turn's last corners on the rule's threshold, and a tenth near it."""
    end = _threshold(loss, profile)
    if end is None:
        return
    steps = np.asarray(THRESHOLD_STEPS)
    total = columns["target_cosine"].size
    threshold = on_columns(loss, end, columns)
    size = 10.0 ** rng.uniform(-16.5, -1, total)
    near = np.clip(threshold + rng.choice((-1.0, 1.0), total) * size, -1, 1)
    count = corner_count(loss, profile, dtype)
    chosen = rng.integers(0, 10, total) == 0
    chosen[:count] = False
    columns["target_cosine"][chosen] = near[chosen]
    turn = count // len(SPECIAL_SCALERS)
    for first in range(turn - steps.size, count, turn):
        rows = slice(first, first + steps.size)
        nearest = in_dtype(threshold[rows], dtype)
        unit = unit_in_last_place(nearest, dtype)
        columns["target_cosine"][rows] = np.clip(nearest + steps * unit, -1, 1)


def _slope_zero(loss: str, columns: Columns, side: Floats) -> Floats:
    """The angle where the margined angle reaches 0 or pi; some angle if never."""
    zero = np.zeros_like(columns["target_cosine"])
    margins = margins_of(loss, columns) or Margins(zero + 1, zero, zero)
    row = LOSSES[loss]
    shift = margins.additive if row.angular_margin == 0 else margins.angular
    if row.multiplier == 1:
        return np.where(shift < 0, -shift, np.pi - shift)
    ends: Floats = np.pi * np.round(1 + side) / 2
    return (ends - shift) / on_columns(loss, row.multiplier, columns)


def _place_corners(
    loss: str, columns: Columns, corners: Floats, box: Box, steps: tuple[int, ...]
) -> None:
    """Puts the corner cosines first, once for each special margin scaler."""
    count = corners.size + len(steps)
    for turn, scaler in enumerate(SPECIAL_SCALERS):
        rows = slice(turn * count, (turn + 1) * count)
        if "target_cosine" not in box:
            columns["target_cosine"][rows][: corners.size] = corners
        if "margin_scaler" in columns.keys() - box.keys():
            columns["margin_scaler"][rows] = scaler
        for name, value in recommended(loss).items():
            if name not in box and name != "multiplier" and turn < 2:
                columns[name][rows] = value
        if "rival_cosine" not in box:
            columns["rival_cosine"][rows] = 0.5


def _place_rival(rng: np.random.Generator, columns: Columns, box: Box) -> None:
    """Moves rivals to the decision boundary and far off; none lies below another."""
    total = columns["rival_cosine"].size
    kind = rng.integers(0, 10, total)
    if "rival_cosine" not in box:
        logit = columns["target_cosine"] - columns.get("margin", np.zeros(total))
        across = logit + rng.uniform(-40, 40, total) / columns["scale"]
        columns["rival_cosine"][kind < 4] = across[kind < 4]
    if "rival_cosine" not in box and "scale" not in box:
        columns["rival_cosine"][kind == 9] = -1.0
        columns["scale"][kind == 9] = rng.uniform(300, 512, total)[kind == 9]
    nearest = np.clip(columns["rival_cosine"], -1, 1)
    if "other_cosine" not in box:
        alone = kind == 5
        columns["other_cosine"][alone] = nearest[alone]
        columns["other_cosine"] = np.minimum(columns["other_cosine"], nearest)
    if "rival_cosine" not in box:
        least = _other_logit(columns)
        columns["rival_cosine"] = np.maximum(columns["rival_cosine"], least)


def _other_logit(columns: Columns) -> Floats:
    cosine = columns["other_cosine"]
    hard = cosine * (columns.get("curriculum", np.zeros(cosine.size)) + cosine)
    return np.maximum(cosine, hard) if "curriculum" in columns else cosine


class Batch(NamedTuple):
    """A batch as a head sees it.

    Args:
        cosine: (B, C).
        labels: (B,), the own class of each row.
        parameters: of the loss; the margin scaler one a row, (B,).
    """

    cosine: Floats
    labels: np.ndarray[Any, np.dtype[np.int64]]
    parameters: dict[str, Any]


def batch(
    loss: str, seed: int, *, classes: int, size: int = 64, dtype: str = "float64"
) -> Batch:
    """A batch of random cosines, half of them close to the decision boundary.

    Args:
        loss: a loss id.
        seed: any non-negative integer.
        classes: C, at least 2.
        size: B.
        dtype: the cosines are values of it.

    Returns:
        The batch, at the recommended parameters with a drawn h and z.
    """
    rng = np.random.default_rng([seed, classes, list(LOSSES).index(loss)])
    columns = block(loss, seed, size=size, box=recommended(loss), dtype=dtype)
    columns = {name: column[-size:] for name, column in columns.items()}
    labels = rng.integers(0, classes, size)
    cosine = rng.uniform(-1, 1, (size, classes)) * rng.uniform(0, 1, (size, 1))
    cosine[np.arange(size), labels] = columns["target_cosine"]
    nearest = (labels + 1) % classes
    cosine[np.arange(size), nearest] = columns["other_cosine"]
    parameters: dict[str, Any] = recommended(loss)
    own = LOSSES[loss].row_quantity
    if own is not None and own.name not in parameters:
        parameters[own.name] = columns[own.name]
    return Batch(in_dtype(cosine, dtype), labels, parameters)


def seeds() -> st.SearchStrategy[int]:
    """Seeds of blocks."""
    from hypothesis import strategies as st

    return st.integers(min_value=0, max_value=2**63 - 1)


def scalars(loss: str, box: Box | None = None) -> st.SearchStrategy[dict[str, float]]:
    """Single points, which shrink to readable values.

    Args:
        loss: a loss id.
        box: as in `block`.

    Returns:
        A strategy of dictionaries: the three cosines and all parameters of the loss.
    """
    from hypothesis import strategies as st

    given = dict(box or {})
    names = (*COSINES, *(symbol.name for symbol in LOSSES[loss].parameters))
    return st.fixed_dictionaries(
        {name: _scalar(loss, name, given.get(name)) for name in names}
    ).map(_ordered)


def _scalar(
    loss: str, name: str, limits: float | tuple[float, float] | None
) -> st.SearchStrategy[float]:
    from hypothesis import strategies as st

    if name == "multiplier" and limits is None:
        return st.sampled_from(_multipliers(loss)).map(float)
    if isinstance(limits, (int, float)):
        return st.just(float(limits))
    low, high = limits or range_of(name)
    usual = recommended(loss).get(name)
    floats = st.floats(low, high, allow_nan=False, allow_infinity=False)
    if usual is not None and low <= usual <= high:
        return st.just(usual) | floats
    return floats


def _ordered(point: dict[str, float]) -> dict[str, float]:
    """Raises the rival to the other class's logit / scale where it lies below."""
    columns = {name: np.asarray([value]) for name, value in point.items()}
    least = float(_other_logit(columns)[0])
    return {**point, "rival_cosine": max(point["rival_cosine"], least)}


def json_number(value: float) -> float | str:
    """A number as JSON has it: one that JSON lacks becomes its name.

    Args:
        value: any float.

    Returns:
        The value, or "nan", "inf" or "-inf".
    """
    return value if math.isfinite(value) else str(float(value))


def describe(point: Mapping[str, float]) -> str:
    """A point in decimal and in hex, one quantity a line.

    Args:
        point: values by name.

    Returns:
        Lines such as `target_cosine = 0.9375 (0x1.e000000000000p-1)`.
    """
    return "\n".join(
        f"{name} = {value!r} ({float(value).hex()})" for name, value in point.items()
    )


def interval(domain: Interval) -> str:
    """An interval as text, such as `[0, pi/2)`."""
    left, right = "(" if domain.left_open else "[", ")" if domain.right_open else "]"
    return f"{left}{domain.start}, {domain.end}{right}".replace("oo", "inf")
