"""One row of test vectors: inputs, the truth, and what an answer may be off."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from flint import arb

from adaface_ref.evidence.truth.agreement import (
    INPUTS,
    Question,
    parameters_of,
    sides_of,
)
from adaface_ref.evidence.truth.oracle import enclosure
from adaface_ref.evidence.truth.point import limit_at_pole
from adaface_ref.points import json_number
from adaface_ref.ports.pipe.bits import encode
from adaface_ref.ports.vectors.flags import flags_of
from adaface_ref.ports.vectors.question import RowQuestion


def row_of(question: RowQuestion) -> dict[str, Any]:
    """One row: what is asked, the truth, and what an answer may be off.

    Args:
        question: quantity and point.

    Returns:
        The row as data.
    """
    question = question.with_all_cosines()
    loss, profile, quantity, _ = question
    point = _inputs(question)
    ball = enclosure(quantity, loss, profile, point)
    pole = not ball.is_finite()
    if pole:
        limit = limit_at_pole(quantity, loss, profile, point)
        low = high = value = limit
    else:
        value = float(ball)
        low, high = _outward(ball)
    columns = {name: np.asarray([number]) for name, number in point.items()}
    allowed = {}
    for dtype in ("float64", "float32"):
        bound = Question(quantity, loss, profile, dtype, "theirs")
        found = float(bound.allowed(columns, np.asarray([value]))[0])
        allowed[dtype] = 0.0 if pole or not math.isfinite(found) else found
    row: dict[str, Any] = {
        "loss": loss,
        "profile": profile,
        "quantity": quantity,
        "inputs": {name: _number(number) for name, number in point.items()},
        "low": _number(low),
        "high": _number(high),
        "float64": _number(value),
        "float32": _number(_single(ball, value), "float32"),
        "allowed": allowed,
        "flags": flags_of(question, value, pole),
    }
    others = set() if pole else _others(question, point, value)
    if others:
        row["flags"].append("kink")
        row["also"] = [_number(other) for other in sorted(others)]
    return row


def _others(
    question: RowQuestion, point: Mapping[str, float], value: float
) -> set[float]:
    """What is right beside the value where pieces meet, in either dtype."""
    cell = question.quantity, question.loss, question.profile
    return {
        side.value
        for dtype in ("float64", "float32")
        for side in sides_of(Question(*cell, dtype), point)
        if side.value != value
    }


def _inputs(question: RowQuestion) -> dict[str, float]:
    names = (*INPUTS[question.quantity], *parameters_of(question.loss))
    return {name: float(question.point[name]) for name in names}


def _outward(ball: arb) -> tuple[float, float]:
    """float64 ends of an interval that holds the ball."""
    low, high = float(ball.lower()), float(ball.upper())
    if not arb(low) <= ball.lower():
        low = math.nextafter(low, -math.inf)
    if not arb(high) >= ball.upper():
        high = math.nextafter(high, math.inf)
    return low, high


def _single(ball: arb, value: float) -> float:
    """The nearest float32, of the ball itself where two roundings could differ."""
    with np.errstate(over="ignore", under="ignore"):
        near = np.float32(value)
    if not ball.is_finite() or not np.isfinite(near):
        return float(near)
    around = (np.nextafter(near, np.float32(side)) for side in (-np.inf, np.inf))
    candidates = [near, *(c for c in around if np.isfinite(c))]
    return float(min(candidates, key=lambda c: float(abs(arb(float(c)) - ball))))


def _number(value: float, dtype: str = "float64") -> dict[str, Any]:
    return {"bits": encode(value, dtype), "decimal": json_number(value)}
