"""A head at and just past c = +-1, where the angle's derivative is infinite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import training_gradient
from adaface_ref.gate.session.row_levels import LEVELS
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.gate.session.snippets import ENTROPY, LOSS, snippet
from adaface_ref.report.findings import infinite_value
from adaface_ref.report.report import FAILED, OK, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import EPSILON

STEPS = (0, 1, 2, 4)
"""So many floats past +-1: what normalised embeddings reach by rounding."""

ORDINARY = (0.5, -0.3, 0.96875)
"""Cosines of the classes that are not at the pole; exact in every dtype."""

CAUSE = (
    "acos or sqrt has an infinite derivative at c = +-1, and NaN beyond; take the sine "
    "from sqrt((1-c)(1+c)) and keep it away from 0, or clamp the cosine inside (-1, 1)"
)


def judge_poles(evidence: Evidence, claim: str, *, target: bool) -> Result:
    """Look for gradients that are not finite, in every dtype that is judged.

    Args:
        evidence: the head.
        claim: the check's sentence.
        target: whether the target's cosine, or another class's, is at the pole.

    Returns:
        The result, with a finding for each cosine that breaks it.
    """
    session, compared, worst = evidence.session, 0, []
    for dtype in session.dtypes:
        rows = pole_rows(session, dtype, target=target)
        index, places = _broken(session, rows)
        compared += len(rows.cosines)
        # One finding for each cosine that breaks it is enough.
        ends = rows.cosines[index, 0 if target else 1]
        for _, first in zip(*np.unique(ends, return_index=True), strict=True):
            row, place = int(index[first]), int(places[first])
            worst.append(_pole_finding(session, claim, rows, row, place))
    if not worst:
        return Result(OK, f"finite at {compared} points at and just past +-1", compared)
    name = "target_cosine" if target else "other_cosine"
    worst.sort(key=lambda f: (abs(f.inputs[name]), -f.inputs[name]))
    at = list(dict.fromkeys(f.inputs[name] for f in worst))
    shown = ", ".join(f"{value!r}" for value in at[:3]) + ", ..." * (len(at) > 3)
    # The text shows the nearest to each pole.
    first = [next((f for f in worst if f.inputs[name] * s > 0), None) for s in (1, -1)]
    nearest = [finding for finding in first if finding is not None]
    found = (*nearest, *(f for f in worst if f not in nearest))
    detail = f"not finite at {shown}"
    return Result(FAILED, detail, compared, None, found, len(nearest))


def pole_rows(session: Session, dtype: str, *, target: bool) -> Rows:
    """Rows with the target's cosine, or another class's, at and just past a pole.

    Args:
        session: the head.
        dtype: the steps are floats of it.
        target: whether the target or another class is at the pole.

    Returns:
        Rows of two classes.
    """
    ends = np.array(
        [side * (1 + k * EPSILON[dtype]) for side in (1, -1) for k in STEPS]
    )
    name = session.definition.row_quantity_name
    values = LEVELS[name].at_poles
    grid = np.meshgrid(ends, np.array(ORDINARY), np.array(values), indexing="ij")
    end, ordinary, level = (part.ravel() for part in grid)
    cosines = np.stack([end, ordinary] if target else [ordinary, end], axis=1)
    return session.rows(cosines, {name: level} if name else {}, dtype)


def _broken(session: Session, rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the head's logits or training gradient are not finite.

    Args:
        session: the head.
        rows: rows of two classes.

    Returns:
        Indices of the rows, and of the class whose gradient shows it.
    """
    logits, gradient = training_gradient(*session.batch(rows))
    bad = ~np.isfinite(gradient)
    bad |= ~np.isfinite(logits).all(axis=1, keepdims=True)
    index = np.flatnonzero(bad.any(axis=1))
    return index, bad[index].argmax(axis=1)


def _pole_finding(
    session: Session, claim: str, rows: Rows, index: int, place: int
) -> Finding:
    """One row's violation, run again by itself.

    Args:
        session: the head.
        claim: the check's sentence.
        rows: the rows.
        index: which row.
        place: the class whose gradient is not finite.

    Returns:
        The finding.
    """
    row = rows.take(index)
    _, gradient = training_gradient(*session.batch(row))
    own = session.read(row).loss_gradient is not None
    ending = LOSS if own else ENTROPY
    inputs = {
        "target_cosine": float(row.cosines[0, 0]),
        "other_cosine": float(row.cosines[0, 1]),
        **session.fixed,
        **{name: float(value[0]) for name, value in row.given.items()},
    }
    got = float(gradient[0, place])
    return infinite_value(
        claim,
        inputs,
        row.dtype,
        got,
        "a finite gradient",
        CAUSE,
        snippet(session, row, ending, place),
    )
