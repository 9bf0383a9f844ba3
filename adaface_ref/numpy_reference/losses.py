"""The losses as rows: parameters, margins, rules, and the other classes.

What a loss does to another class is G and dG/dc_j.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from adaface_ref.column import Column
from adaface_ref.numpy_reference import rules
from adaface_ref.numpy_reference.arguments import Array, Parameters
from adaface_ref.numpy_reference.rules import Angle, Margins, Target

_ZERO, _ONE = np.float64(0.0), np.float64(1.0)


def _margins(
    angular: Any = _ZERO, additive: Any = _ZERO, multiplier: Any = _ONE
) -> Margins:
    return Margins(multiplier, angular, additive)


def clip_norm(p: Parameters) -> Array:
    return np.clip(p["feature_norm"], p["norm_lower"], p["norm_upper"])


def norm_margin_slope(p: Parameters) -> Array:
    rise = p["margin_upper"] - p["margin_lower"]
    return np.asarray(rise / (p["norm_upper"] - p["norm_lower"]))


def _norm_margin(p: Parameters) -> Array:
    above = clip_norm(p) - p["norm_lower"]
    return np.asarray(p["margin_lower"] + norm_margin_slope(p) * above)


def _same(other: Angle, target: Angle, p: Parameters) -> tuple[Array, Array]:
    return other.cosine, np.ones_like(other.cosine)


def _curricular(other: Angle, target: Angle, p: Parameters) -> tuple[Array, Array]:
    bar = rules.formula(target, _margins(p["margin"])).cosine
    hard, curriculum = other.cosine > bar, p["curriculum"]
    value = np.where(hard, other.cosine * (curriculum + other.cosine), other.cosine)
    return value, np.where(hard, curriculum + 2 * other.cosine, 1.0)


Piece = Callable[[Angle, Any], Target]


Values = dict[str, float | None]


class Row(NamedTuple):
    """A loss: its parameters with recommended values, its margins, its pieces.

    What `margins` makes of the parameters is handed to the pieces.
    """

    parameters: Values
    margins: Callable[[Parameters], Any]
    pieces: dict[str, Piece]
    other: Callable[[Angle, Angle, Parameters], tuple[Array, Array]] = _same


_S: Values = {"scale": 64.0}
_NORMS: Values = {"feature_norm": 60.0, "norm_lower": 10.0, "norm_upper": 110.0}
_RISE: Values = {"margin_lower": 0.45, "margin_upper": 0.8, "regulariser_weight": 35.0}
_OFFSETS: Values = {"multiplier": 1.0, "angular_offset": 0.3, "additive_offset": 0.2}

_ADDITIVE: dict[str, Piece] = {"pure": rules.additive, "clip": rules.additive}
_ANGULAR: dict[str, Piece] = {"pure": rules.formula, "clip": rules.clip}
_FALLBACK: dict[str, Piece] = {"fallback": rules.fallback}
_LESSER: dict[str, Piece] = {
    "fallback-plain": rules.fallback_plain,
    "easy": rules.easy,
    "min": rules.minimum,
}
_CONTINUED: dict[str, Piece] = {"reflect": rules.reflect, "shift": rules.shift}

LOSSES: dict[str, Row] = {
    "normface": Row(_S, lambda p: _margins(), _ADDITIVE),
    "sphereface": Row(
        _S | {"multiplier": 4.0},
        lambda p: _margins(multiplier=p["multiplier"]),
        {"pure": rules.sphere},
    ),
    "cosface": Row(
        _S | {"margin": 0.35},
        lambda p: _margins(additive=p["margin"]),
        _ADDITIVE | {"easy": rules.easy_additive},
    ),
    "arcface": Row(
        _S | {"margin": 0.5},
        lambda p: _margins(p["margin"]),
        _ANGULAR | _FALLBACK | _LESSER | _CONTINUED,
    ),
    "combined": Row(
        _S | _OFFSETS,
        lambda p: _margins(p["angular_offset"], p["additive_offset"], p["multiplier"]),
        {"pure": rules.combined},
    ),
    "curricularface": Row(
        _S | {"margin": 0.5, "curriculum": 0.0},
        lambda p: _margins(p["margin"]),
        {"pure": rules.formula} | _FALLBACK,
        _curricular,
    ),
    "magface": Row(
        _S | _NORMS | _RISE,
        lambda p: _margins(_norm_margin(p)),
        _ANGULAR | _FALLBACK | _LESSER,
    ),
    "adaface": Row(
        _S | {"margin": 0.4, "margin_scaler": None},
        lambda p: _margins(
            -p["margin"] * p["margin_scaler"], p["margin"] * (1 + p["margin_scaler"])
        ),
        _ANGULAR,
    ),
}

"""Every loss by its id, in the order of every table."""


def _recommended(row: Row) -> dict[str, float]:
    return {name: x for name, x in row.parameters.items() if x is not None}


RECOMMENDED = Column(LOSSES, _recommended)
"""Recommended values; adaface's margin_scaler belongs to the sample and has none."""

PARAMETERS = Column(LOSSES, lambda row: tuple(row.parameters))
"""The names of each loss's parameters."""

DEFINED = Column(LOSSES, lambda row: tuple(row.pieces))
"""The rules each loss defines."""
