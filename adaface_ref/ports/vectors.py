"""Test vectors: rows of inputs, certified values, allowed errors, flags and notes."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flint import arb

from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.agreement import (
    INPUTS,
    Question,
    parameters_of,
    sides_of,
)
from adaface_ref.evidence.truth.oracle import enclosure
from adaface_ref.evidence.truth.point import limit_at_pole
from adaface_ref.points import block, corner_count, json_number
from adaface_ref.ports.export.stable import QUANTITIES, profiles_of
from adaface_ref.ports.pipe.bits import decode, encode
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse
from adaface_ref.tolerance import SMALLEST_NORMAL

FORMAT = 1
SEED = 20
PLAIN = 6
"""Plain points of each loss and profile in the full tier."""

FLAGS = {
    "pole": "c = +-1, where the value is the one-sided limit, maybe infinite: an "
    "answer must not be NaN (0 * infinity, or sqrt(1 - c^2) in a denominator)",
    "near-pole": "|c| > 0.999: sqrt(1 - c*c) cancels, and an eps that is too wide "
    "shows",
    "kink": "two pieces of the profile meet within rounding: `also` is right, too",
    "dead-zone": "the slope is exactly 0: a missing or straight-through clamp shows",
    "reversed": "the GST is positive, more of the cosine would cost: abs() or a clamp "
    "that the profile does not have shows",
    "easy-sample": "P > 1 - 2^-24: P - 1 is exactly 0 in single precision",
    "hard-sample": "P < 2^-24: |g| is near s |D|, not near 0",
    "subnormal": "the value is subnormal in float64: flushing, or a lost exponent",
    "past-threshold": "the profile departs from the formula: a wrong outside rule "
    "shows",
    "core": "the profile is the formula, away from the poles: wrong margins show",
}
"""What each flag means, and the fault that it is there to catch."""


class Asked(NamedTuple):
    """What a row asks.

    Args:
        loss, profile, quantity: of what.
        point: inputs by name; cosines are values of float32.
    """

    loss: str
    profile: str
    quantity: str
    point: Mapping[str, float]


def row_of(asked: Asked) -> dict[str, Any]:
    """One row: what is asked, the truth, and what an answer may be off.

    Args:
        asked: quantity and point.

    Returns:
        The row as data.
    """
    loss, profile, quantity, _ = asked
    point = _inputs(asked)
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
        question = Question(quantity, loss, profile, dtype, "theirs")
        found = float(question.allowed(columns, np.asarray([value]))[0])
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
        "flags": flags_of(asked, value, pole),
    }
    others = set() if pole else _others(asked, point, value)
    if others:
        row["flags"].append("kink")
        row["also"] = [_number(other) for other in sorted(others)]
    return row


def _others(asked: Asked, point: Mapping[str, float], value: float) -> set[float]:
    """What is right beside the value where pieces meet, in either dtype."""
    cell = asked.quantity, asked.loss, asked.profile
    return {
        side.value
        for dtype in ("float64", "float32")
        for side in sides_of(Question(*cell, dtype), point)
        if side.value != value
    }


def _inputs(asked: Asked) -> dict[str, float]:
    names = (*INPUTS[asked.quantity], *parameters_of(asked.loss))
    return {name: float(asked.point[name]) for name in names}


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


def flags_of(asked: Asked, value: float, pole: bool) -> list[str]:
    """What is special about a row.

    Args:
        asked: the row's question.
        value: its true value, rounded.
        pole: whether the value is a limit.

    Returns:
        Keys of FLAGS.
    """
    _, profile, quantity, point = asked
    at = {name: point[name] for name in INPUTS[quantity]}
    cosine = point["target_cosine"]
    core = profile == "pure" or all(
        _limit(name, asked) == _limit(name, asked, "pure")
        for name in ("logit", quantity)
    )
    found = {
        "pole": pole,
        "near-pole": not pole and abs(cosine) > 0.999,
        "dead-zone": quantity in ("gst", "slope") and _limit("slope", asked) == 0,
        "reversed": quantity == "gst" and 0 < value < math.inf,
        "subnormal": 0 < abs(value) < SMALLEST_NORMAL["float64"],
        "past-threshold": not core,
        "core": core and abs(cosine) <= 0.999,
    }
    if "rival_cosine" in at:
        found["easy-sample"] = _value("complement", asked) < 2**-24
        found["hard-sample"] = _value("probability", asked) < 2**-24
    return [flag for flag in FLAGS if found.get(flag)]


def _value(quantity: str, asked: Asked, profile: str = "") -> float:
    ball = enclosure(quantity, asked.loss, profile or asked.profile, asked.point, 128)
    return float(ball)


def _limit(quantity: str, asked: Asked, profile: str = "") -> float:
    """The value, at a pole its one-sided limit."""
    profile = profile or asked.profile
    value = _value(quantity, asked, profile)
    if math.isfinite(value):
        return value
    return limit_at_pole(quantity, asked.loss, profile, asked.point)


def full_questions() -> Iterator[Asked]:
    """Plain points of every loss, profile and quantity."""
    for loss in LOSSES:
        for profile in profiles_of(loss):
            columns = block(loss, SEED, profile=profile, size=200, dtype="float32")
            corners = corner_count(loss, profile, "float32")
            chosen = range(corners, corners + PLAIN)
            yield from _asked(loss, profile, columns, chosen)


def hard_questions() -> Iterator[Asked]:
    """Corners, and where these losses go wrong: poles, zeros, borders, subnormals."""
    for loss in LOSSES:
        for profile in profiles_of(loss):
            columns = block(loss, SEED, profile=profile, size=200, dtype="float32")
            corners = corner_count(loss, profile, "float32")
            cosines = np.abs(columns["target_cosine"])
            near = corners + np.flatnonzero(cosines[corners:] > 0.99)[:4]
            tail = range(cosines.size - 6, cosines.size)
            chosen = dict.fromkeys([*range(0, corners, 4), *near.tolist(), *tail])
            yield from _asked(loss, profile, columns, chosen)


def _asked(
    loss: str, profile: str, columns: Mapping[str, Any], chosen: Iterable[int]
) -> Iterator[Asked]:
    # A detached profile differs in what sees the gradient alone.
    seen = ("slope", "gst", "other_gst") if parse(profile).detached else QUANTITIES
    for index in chosen:
        point = {name: float(column[index]) for name, column in columns.items()}
        for quantity in seen:
            yield Asked(loss, profile, quantity, point)


def questions_in(text: str) -> list[Asked]:
    """The questions of a file of vectors.

    Args:
        text: what `written` gave.

    Returns:
        One a row.
    """
    return [
        Asked(
            row["loss"],
            row["profile"],
            row["quantity"],
            {
                name: float(decode(value["bits"], "float64")[0])
                for name, value in row["inputs"].items()
            },
        )
        for row in json.loads(text)["rows"]
    ]


def smoke_text() -> str:
    """The smoke tier as it came with the package."""
    folder = files("adaface_ref.spec") / "vectors"
    return (folder / "smoke.json").read_text(encoding="utf-8")


def written(tier: str, questions: Sequence[Asked]) -> str:
    """A tier as text: JSON, one row a line.

    Args:
        tier: its name.
        questions: what its rows ask.

    Returns:
        The same bytes for the same version.
    """
    from adaface_ref.ports.cover import faults_in

    rows = [row_of(whole(asked)) for asked in questions]
    caught, beyond = faults_in(rows) if tier == "smoke" else ({}, {})
    head = {
        "format": FORMAT,
        "package": f"adaface-ref {version('adaface-ref')}",
        "tier": tier,
        "about": "bits are big-endian IEEE 754; low and high enclose the true value; "
        "float64 and float32 are correctly rounded; an answer may be off the true "
        "value by `allowed` of its dtype, and at a pole be 0 or anything of the "
        "limit's sign; what `faults` names is caught by the row of that number, and "
        "`beyond` says what no row can catch.",
        "flags": FLAGS,
        "parameters": {loss: list(parameters_of(loss)) for loss in LOSSES},
        "faults": caught,
        "beyond": beyond,
    }
    lines = [json.dumps({name: value})[1:-1] for name, value in head.items()]
    body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return "{" + ",\n".join(lines) + ',\n"rows": [\n' + body + "\n]}\n"


def whole(asked: Asked) -> Asked:
    """The question with every cosine filled in, as flags want them."""
    usual = {"target_cosine": 0.0, "rival_cosine": 0.5, "other_cosine": 0.5}
    return asked._replace(point={**usual, **asked.point})


def write_vectors(folder: Path, tiers: Iterable[str]) -> list[Path]:
    """Write tiers of vectors, and their schema.

    Args:
        folder: where; it is made if it is not there.
        tiers: of smoke, full and hard.

    Returns:
        The files.

    Raises:
        DomainError: the folder cannot be written.
    """
    make = {"full": full_questions, "hard": hard_questions}
    schema = files("adaface_ref.spec") / "vectors" / "vectors.schema.json"
    texts = {"vectors.schema.json": schema.read_text(encoding="utf-8")}
    paths = []
    with _told_in_a_line(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass  # finds out before the work that it can be written
    for tier in tiers:
        smoke = tier == "smoke"
        asked = questions_in(smoke_text()) if smoke else list(make[tier]())
        texts[f"{tier}.json"] = written(tier, asked)
    with _told_in_a_line(folder):
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
            paths.append(folder / name)
    return paths


@contextmanager
def _told_in_a_line(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        must = f"a folder that can be written ({error.strerror})"
        raise DomainError(f"DIR={folder}, but must be {must} [vectors]") from None
