"""The quantities of a loss under a profile, compiled to NumPy or balls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from flint import arb, fmpq
from sympy import Symbol

from adaface_ref.compiler import NUMPY, Backend, Compiled, compile_tree
from adaface_ref.errors import domain_error
from adaface_ref.spec.gst import Case, cases, magnitude, textbook_magnitude
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse
from adaface_ref.spec.symbols import QUANTITIES, angle

_ONE = arb(1)

BALLS: Backend = {
    "sin_cos": arb.sin_cos,
    "sqrt": arb.sqrt,
    "exp": arb.exp,
    "log": arb.log,
    "Abs": abs,
    "logistic": lambda x: 1 / (1 + (-x).exp()),
    "complement": lambda x: _ONE / (_ONE + x.exp()),
    "integer": arb,
    "ball": arb,
    "log_logistic": lambda x: x - x.exp().log1p() if x < 0 else -(-x).exp().log1p(),
    "angle_of": arb.acos,
    "acos": arb.acos,
    "pi": arb.pi,
    "rational": fmpq,
}
"""Each function encloses its value for narrow balls; wide boxes need monotonicity.

No `sign`: it must not decide a verdict at a kink.
"""


@dataclass(frozen=True)
class Formula:
    """A quantity of one loss under one profile, compiled case by case.

    Args:
        arguments: names of the inputs, in order.
        where: for each case a function that returns the expressions of its `where`.
        value: for each case a function that returns the terms of its value.
        names: what the cases are called.
    """

    arguments: tuple[str, ...]
    where: tuple[Compiled, ...]
    value: tuple[Compiled, ...]
    names: tuple[str, ...]


@cache
def formula(
    quantity: str, loss: str, profile: str, arcs: int | None, form: str, backend: str
) -> Formula:
    """Compiles one quantity, or what one rounding of each input may move in it.

    Args:
        quantity: a key of the spec's QUANTITIES.
        loss: a loss id.
        profile: a profile string.
        arcs: SphereFace's multiplier.
        form: "value", "magnitude" or "textbook" (see the spec's gst module).
        backend: "numpy" or "balls".

    Returns:
        The compiled cases; compiled once for each combination.
    """
    row, parsed = LOSSES[loss], parse(profile)
    if form == "textbook":
        listed = textbook_magnitude(quantity, row, parsed, arcs)
    else:
        listed = cases(quantity, row, parsed, arcs)
    if form == "magnitude":
        listed = tuple(c._replace(terms=magnitude(c.terms[0])) for c in listed)
    return compile_cases(listed, BACKENDS[backend])


BACKENDS: dict[str, Backend] = {
    "numpy": NUMPY,
    "balls": BALLS,
}


def compile_cases(
    listed: Sequence[Case],
    backend: Backend,
    arguments: tuple[str, ...] | None = None,
) -> Formula:
    """Compiles ordered cases of the spec.

    Args:
        listed: ordered cases; the last one applies everywhere.
        backend: NUMPY or BALLS.
        arguments: names of the inputs; those that occur, unless given.

    Returns:
        The compiled cases.
    """
    arguments = arguments or arguments_of(listed)
    return Formula(
        arguments,
        tuple(compile_tree(case.where, arguments, backend) for case in listed),
        tuple(compile_tree(case.terms, arguments, backend) for case in listed),
        tuple(case.name for case in listed),
    )


def arguments_of(listed: Sequence[Case]) -> tuple[str, ...]:
    """The names of the inputs that occur in cases, the angle as the target cosine."""
    symbols: set[Symbol] = set()
    for case in listed:
        symbols |= set().union(*(e.free_symbols for e in (*case.terms, *case.where)))
    names = {"target_cosine" if s is angle else s.name for s in symbols}
    return tuple(name for name in QUANTITIES if name in names)


def evaluate_numpy(
    quantity: str,
    loss: str,
    profile: str,
    columns: Mapping[str, Any],
    form: str = "value",
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A quantity in working precision, from the spec's own tree.

    Good enough for tolerances and for looking ahead; not certified.

    Args:
        quantity: a key of the spec's QUANTITIES.
        loss: a loss id.
        profile: a profile string.
        columns: arrays (N,) or numbers by name.
        form: as in `formula`.

    Returns:
        Array (N,) of float64.
    """
    compiled = formula(quantity, loss, profile, arcs_of(loss, columns), form, "numpy")
    given = inputs_of(columns, profile)
    shape = np.broadcast_shapes(*(np.shape(value) for value in given.values()))
    inputs = [
        np.broadcast_to(np.asarray(given[name], dtype=np.float64), shape).ravel()
        for name in compiled.arguments
    ]
    size = int(np.prod(shape))
    result, left = np.full(size, np.nan), np.arange(size)
    with np.errstate(all="ignore"):
        for where, value in zip(compiled.where, compiled.value, strict=True):
            holds = np.ones(left.size, dtype=bool)
            for part in where(*inputs):
                holds &= part > 0
            if holds.all():
                result[left] = total_of_terms(value(*inputs), left.shape)
                break
            here, left = left[holds], left[~holds]
            chosen = [column[holds] for column in inputs]
            result[here] = total_of_terms(value(*chosen), here.shape)
            inputs = [column[~holds] for column in inputs]
    return result.reshape(shape)


def total_of_terms(terms: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Adds up the terms of one case.

    Args:
        terms: one term, or several that are added in absolute value.
        shape: of the result.

    Returns:
        The one term as it is, or the sum of those that are not singular.
    """
    if len(terms) == 1:
        return np.broadcast_to(np.asarray(terms[0], dtype=np.float64), shape)
    kept = [np.where(np.isfinite(term), np.abs(term), 0.0) for term in terms]
    return np.broadcast_to(sum(kept), shape)


def inputs_of(columns: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """The columns, and the profile's clamps as further ones."""
    return {**columns, **parse(profile).clamps}


def arcs_of(loss: str, columns: Mapping[str, Any]) -> int | None:
    """SphereFace's multiplier, which must be one integer for all points.

    Raises:
        DomainError: if the column holds more than one multiplier, or no integer.
    """
    if not LOSSES[loss].has_arcs:
        return None
    values = np.unique(np.asarray(columns["multiplier"], dtype=np.float64))
    if values.size != 1 or not float(values[0]).is_integer():
        shown = ", ".join(map(str, values[:3].tolist()))
        raise domain_error("multiplier", shown, "one integer", loss)
    return int(values[0])
