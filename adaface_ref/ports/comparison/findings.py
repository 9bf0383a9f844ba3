"""What a port got wrong, as findings: with lines to paste into its standard input."""

from __future__ import annotations

import math
from collections.abc import Mapping

from adaface_ref.evidence.truth.agreement import INPUTS, parameters_of
from adaface_ref.ports.comparison.questions import Cell, as_columns
from adaface_ref.ports.comparison.values import PortTally
from adaface_ref.ports.pipe.bits import encode
from adaface_ref.ports.pipe.protocol import Request, compact
from adaface_ref.report.report import Finding


def exchange(
    cell: Cell, dtype: str, quantity: str, point: Mapping[str, float], got: float
) -> str:
    """The request about one point, and the port's answer.

    Args:
        cell: loss and profile.
        dtype: of the point.
        quantity: what is asked.
        point: all inputs by name.
        got: what the port answers.

    Returns:
        Two lines; the first is for the port's standard input.
    """
    line = Request(*cell, dtype, (quantity,), as_columns(point)).line(1)
    values = {quantity: encode(got, dtype)}
    answer = compact({"type": "values", "id": 1, "values": values})
    return f"{line}\n(the port answers) {answer}"


def value_finding(
    claim: str, cell: Cell, quantity: str, tally: PortTally, cause: str
) -> Finding:
    """A wrong value, as simple as it could be made.

    Args:
        claim: the check's sentence.
        cell: loss and profile.
        quantity: that is wrong.
        tally: of its check, with a failure.
        cause: the likely cause.
    """
    failure = tally.failure
    assert failure is not None
    return Finding(
        claim,
        failure.point,
        tally.dtype,
        failure.got,
        failure.expected,
        failure.error,
        failure.allowed,
        cause,
        exchange(cell, tally.dtype, quantity, tally.whole, failure.got),
    )


def pole_finding(
    claim: str, cell: Cell, dtype: str, quantity: str, point: Mapping[str, float]
) -> Finding:
    """A NaN at c = +-1."""
    return Finding(
        claim,
        relevant(cell, quantity, point),
        dtype,
        math.nan,
        "the one-sided limit, finite or infinite",
        math.inf,
        math.nan,
        "0 times infinity (1 - P as a difference is 0), or a root of less than 0: take "
        "1 - P from 1/(1 + exp(x)) and the sine from sqrt((1-c)(1+c))",
        exchange(cell, dtype, quantity, point, math.nan),
    )


def bits_finding(
    claim: str,
    cell: Cell,
    dtype: str,
    quantity: str,
    point: Mapping[str, float],
    got: float,
    before: float,
    words: tuple[str, str],
) -> Finding:
    """Two answers to one question that differ.

    Args:
        claim, cell, dtype, quantity: as in `value_finding`.
        point: all inputs by name.
        got, before: the second and the first answer.
        words: when the first was given, and the likely cause.
    """
    expected = f"{before!r} ({before.hex()}), as {words[0]}"
    snippet = exchange(cell, dtype, quantity, point, got)
    inputs = relevant(cell, quantity, point)
    error = abs(got - before)
    error = error if error == error else math.inf
    return Finding(claim, inputs, dtype, got, expected, error, 0.0, words[1], snippet)


def relevant(cell: Cell, quantity: str, point: Mapping[str, float]) -> dict[str, float]:
    """The inputs that a quantity depends on."""
    names = (*INPUTS[quantity], *parameters_of(cell.loss))
    return {name: float(point[name]) for name in names}
