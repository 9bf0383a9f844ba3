"""At c = +-1 a slope is its one-sided limit: the spec's, taken by SymPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sympy import Rational, limit, oo, pi

from adaface_ref.evidence.truth.forms import Cell, numpy_values, torch_values
from adaface_ref.points import recommended
from adaface_ref.spec.gst import cases
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse
from adaface_ref.spec.symbols import QUANTITIES, angle

NO_MARGIN = {
    "arcface": {"margin": 0.0},
    "curricularface": {"margin": 0.0},
    "adaface": {"margin_scaler": 0.0},
    "magface": {"margin_lower": 0.0, "margin_upper": 0.0},
    "combined": {"angular_offset": 0.0, "multiplier": 2.0},
}

POINTS = [
    *((loss, {}) for loss in LOSSES),
    *NO_MARGIN.items(),
    ("adaface", {"margin_scaler": 1.0}),
    ("adaface", {"margin_scaler": -1.0}),
    ("combined", {"angular_offset": 0.0, "multiplier": 1.0}),
    ("sphereface", {"multiplier": 1.0}),
    ("sphereface", {"multiplier": 3.0}),
]


def slope_in_the_limit(loss: str, point: dict[str, float], end: float) -> float:
    arcs = int(point["multiplier"]) if loss == "sphereface" else None
    pieces = cases("slope", LOSSES[loss], parse("pure"), arcs)
    # Arcs run from pi down to 0; the other losses have one piece, MagFace's core last.
    piece = pieces[0] if arcs and end < 0 else pieces[-1]
    numbers = {QUANTITIES[k].symbol: Rational(v) for k, v in point.items()}
    slope = piece.terms[0].subs(numbers)
    value = limit(slope, angle, 0, "+") if end > 0 else limit(slope, angle, pi, "-")
    return {oo: math.inf, -oo: -math.inf}.get(value) or float(value)


@pytest.mark.parametrize("end", [1.0, -1.0])
@pytest.mark.parametrize(("loss", "given"), POINTS)
def test_slope_at_a_pole_is_the_limit_of_the_spec(
    loss: str, given: dict[str, float], end: float
) -> None:
    usual = {"margin_scaler": 0.5} if loss == "adaface" else {}
    point = {**recommended(loss), **usual, **given}
    columns = {name: np.asarray([value]) for name, value in point.items()}
    columns["target_cosine"] = np.asarray([end])
    expected = slope_in_the_limit(loss, point, end)
    cell = Cell(loss, "pure")
    assert numpy_values("slope", cell, columns)[0] == pytest.approx(expected)
    got = torch_values("slope", cell, columns, "float64")[0]
    assert got == pytest.approx(expected)
