"""One point, as a user writes it, and every quantity there.

Text is parsed, never evaluated: `target_cosine=0.99, margin_scaler=1`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from sympy import Rational, true

from adaface_ref import numpy_reference
from adaface_ref.errors import DomainError, domain_error
from adaface_ref.evidence.truth.agreement import (
    Question,
    parameters_of,
    quantities_of,
    sides_of,
)
from adaface_ref.evidence.truth.evaluate import arcs_of
from adaface_ref.evidence.truth.forms import Cell, numpy_values
from adaface_ref.evidence.truth.oracle import enclosure
from adaface_ref.points import interval, recommended
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES, is_defined, parse
from adaface_ref.spec.symbols import QUANTITIES
from adaface_ref.tolerance import SMALLEST_NORMAL

WHERE = "evaluate"

USUAL = {"rival_cosine": 0.5, "margin_scaler": 0.0, "concentration": 0.333}
"""Used where nothing is given: the thread's rival, a mean norm, AdaFace's h."""


class PointValue(NamedTuple):
    """One quantity at one point.

    Args:
        quantity: its name.
        value: the nearest float64, NaN at a pole.
        enclosure: the ball, printed.
        flags: pole; undecided; kink, where pieces meet; flat, where the slope is 0;
            reversed, where more of the cosine would cost; subnormal.
    """

    quantity: str
    value: float
    enclosure: str
    flags: tuple[str, ...]


def parse_point(text: str, loss: str) -> dict[str, float]:
    """Reads a point, and fills in what is not given.

    Give `target_cosine` or `angle`, and for AdaFace `margin_scaler` or
    `standard_norm` with `concentration`, not both.

    Args:
        text: `name=value` pairs, separated by commas; decimal or hexadecimal floats.
        loss: a loss id.

    Returns:
        The three cosines and all parameters of the loss, as floats.

    Raises:
        DomainError: in one line, for an unknown name, a value that is no number or
            lies outside its domain, or a missing cosine.
    """
    given: dict[str, float] = {}
    for name, value in (_pair(part) for part in text.split(",") if part.strip()):
        if name in given:
            raise domain_error(name, f"{given[name]} and {value}", "given once", WHERE)
        given[name] = value
    names = ("target_cosine", "rival_cosine", "other_cosine", *parameters_of(loss))
    point = _resolve(given, names)
    for name in point:
        if name not in names:
            also = ("angle", "standard_norm, with concentration")
            known = ", ".join((*names, *also[: 1 + ("margin_scaler" in names)]))
            raise domain_error("name", repr(name), f"one of {known}", WHERE)
    if "target_cosine" not in point:
        raise domain_error("target_cosine", "nothing", "given, or angle", WHERE)
    usual = {**USUAL, **recommended(loss)}
    filled = {n: point.get(n, usual.get(n, math.nan)) for n in names}
    if math.isnan(filled["other_cosine"]):
        filled["other_cosine"] = max(-1.0, min(1.0, filled["rival_cosine"]))
    for name, value in filled.items():
        check_domain(name, value, WHERE)
    _check_together(loss, filled)
    return filled


def _check_together(loss: str, point: Mapping[str, float]) -> None:
    """Refuses values that are right one by one but not together."""
    arcs_of(loss, point)
    cosines = ("target_cosine", "rival_cosine", "other_cosine")
    parameters = {n: value for n, value in point.items() if n not in cosines}
    try:
        pair = (point["other_cosine"], point["target_cosine"])
        other = numpy_reference.other_logit(loss, *pair, **parameters)
    except DomainError as error:
        raise DomainError(str(error).rpartition(" [")[0] + f" [{WHERE}]") from None
    least, rival = float(other) / point["scale"], point["rival_cosine"]
    if least > rival + 1e-12 * max(1.0, abs(rival)):
        must = f"at least the other class's logit / scale, {least:g}"
        raise domain_error("rival_cosine", rival, must, WHERE)


def _resolve(given: dict[str, float], names: tuple[str, ...]) -> dict[str, float]:
    """Replaces the angle by its cosine and the standard norm by the margin scaler."""
    point = dict(given)
    for name in ("angle", "standard_norm", "concentration"):
        if name in given:
            check_domain(name, given[name], WHERE)
    if "angle" in point:
        _only_one(point, "angle", "target_cosine")
        point["target_cosine"] = math.cos(point.pop("angle"))
    if "standard_norm" in point and "margin_scaler" in names:
        _only_one(point, "standard_norm", "margin_scaler")
        spread = point.pop("concentration", USUAL["concentration"])
        product = spread * point.pop("standard_norm")
        point["margin_scaler"] = max(-1.0, min(1.0, product))
    return point


def _only_one(point: Mapping[str, float], one: str, other: str) -> None:
    if other in point:
        raise domain_error(other, point[other], f"left out beside {one}", WHERE)


def _pair(part: str) -> tuple[str, float]:
    name, equals, value = (piece.strip() for piece in part.partition("="))
    if not equals or not name:
        raise domain_error("--at", repr(part.strip()), "name=value", WHERE)
    return name, parse_number(name, value, WHERE)


def parse_number(name: str, text: str, where: str) -> float:
    """Reads one decimal or hexadecimal float.

    Args:
        name: what it is, for the message.
        text: as written.
        where: who asks, for the message.

    Returns:
        The nearest float64.

    Raises:
        DomainError: for anything else.
    """
    try:
        return float.fromhex(text) if "0x" in text.lower() else float(text)
    except (ValueError, OverflowError):
        raise domain_error(name, repr(text), "a number", where) from None


def check_domain(name: str, value: float, where: str) -> None:
    """Refuses a value outside its quantity's domain.

    Raises:
        DomainError: in one line.
    """
    domain = QUANTITIES[name].domain
    finite = math.isfinite(value)
    if not finite or domain.contains(Rational(value)) is not true:
        raise domain_error(name, value, f"in {interval(domain)}", where)


def quantities_at(
    loss: str, profile: str, point: Mapping[str, float]
) -> list[PointValue]:
    """Every quantity of a loss at one point, certified.

    Args:
        loss: a loss id.
        profile: a profile string.
        point: values by name, exact.

    Returns:
        One row a quantity.
    """
    rest = (name for name in quantities_of(loss) if name not in SHOWN_FIRST)
    return [_value_at(name, loss, profile, point) for name in (*SHOWN_FIRST, *rest)]


SHOWN_FIRST = ("logit", "probability", "complement", "slope", "gst")


def _value_at(
    quantity: str, loss: str, profile: str, point: Mapping[str, float]
) -> PointValue:
    ball = enclosure(quantity, loss, profile, point)
    if not ball.is_finite() and abs(point["target_cosine"]) == 1:
        limit = limit_at_pole(quantity, loss, profile, point)
        return PointValue(
            quantity, limit, "one-sided limit, from the reference", ("pole",)
        )
    if not ball.is_finite():
        return PointValue(quantity, math.nan, "not enclosed", ("undecided",))
    value = float(ball)
    flags = _flags(quantity, value)
    if sides_of(Question(quantity, loss, profile), point):
        flags.append("kink")
    return PointValue(quantity, value, ball.str(20), tuple(flags))


def limit_at_pole(
    quantity: str, loss: str, profile: str, point: Mapping[str, float]
) -> float:
    """The one-sided limit of a slope or a GST at c = +-1.

    Args:
        quantity: a key of INPUTS.
        loss: a loss id.
        profile: a profile string.
        point: values by name.

    Returns:
        The NumPy reference's value there: finite where the singularity is removable.
    """
    columns = {name: np.asarray([value]) for name, value in point.items()}
    return float(numpy_values(quantity, Cell(loss, profile), columns)[0])


def _flags(quantity: str, value: float) -> list[str]:
    flags = []
    if quantity in ("gst", "slope") and value == 0:
        flags.append("flat")
    if (quantity == "gst" and value > 0) or (quantity == "slope" and value < 0):
        flags.append("reversed")
    if 0 < abs(value) < SMALLEST_NORMAL["float64"]:
        flags.append("subnormal")
    return flags


def defined_profiles(loss: str, asked: tuple[str, ...]) -> list[str]:
    """The profiles asked for, or all rules that are defined for a loss.

    Args:
        loss: a loss id.
        asked: profile strings; none for all rules.

    Returns:
        Profile strings in their canonical form.

    Raises:
        DomainError: for an unknown loss or profile, or a cell that is not defined.
    """
    if loss not in LOSSES:
        raise domain_error("loss", loss, f"one of {', '.join(LOSSES)}", WHERE)
    row = LOSSES[loss]
    rules = [rule.id for rule in RULES.values() if loss in rule.losses]
    found = []
    for text in asked:
        try:
            profile = parse(text)
        except ValueError as error:
            raise DomainError(f"{error} [{WHERE}]") from None
        if not is_defined(row, profile):
            must = f"defined for {loss}: {', '.join(rules)}"
            raise domain_error("profile", text, must, WHERE)
        found.append(str(profile))
    return found or rules
