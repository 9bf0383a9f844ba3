"""The three stated invariants, on the head's own GST, where its profile promises them.

I1: at a fixed angle the GST goes to 0 as P goes to 1. I2: |GST| rises with the cosine
exactly where the rising criterion says so. I3: the GST has the sign that the slope
gives it, which for `clip` means never above 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaface_ref.gate.reading.reading import Array, Reading
from adaface_ref.gate.session.row_levels import LEVELS
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.margins import margins_of
from adaface_ref.points import in_dtype
from adaface_ref.report.curve import Curve

Indices = NDArray[np.intp]

ANGLES = 257
RIVALS = (0.875, 0.5, 0.25, 0.0, -0.25, -0.5, -0.75, -1.0)


SHOWN_RIVAL = 0.5
"""The rival cosine of the curves: the thread's."""


@dataclass(frozen=True)
class Grid:
    """The head on a grid of angles (rows) by rivals and margins (columns).

    Args:
        session: the head.
        rows: the grid's points, raveled.
        shape: the number of cosines, rivals and levels.
        reading: the head's answer.
        expected: the reference's GST.
        slack: what the GST may be off.
    """

    session: Session
    rows: Rows
    shape: tuple[int, int, int]
    reading: Reading
    expected: Array
    slack: Array

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Which of its points the head could be given, (B,)."""
        return self.session.reached(self.rows)

    @property
    def gst(self) -> Array:
        """The head's own GST of the target."""
        return np.asarray(self.reading.gst[:, 0])

    def column(self, name: str) -> Array:
        """A column of the grid, in its shape."""
        return self.rows.columns[name].reshape(self.shape)


def grid(session: Session) -> Grid:
    """Run the head on the grid, in the widest dtype asked for.

    Args:
        session: the head.

    Returns:
        The grid.
    """
    dtype = "float64" if "float64" in session.dtypes else session.dtypes[0]
    angles = np.linspace(0.01, np.pi - 0.01, ANGLES)
    targets = np.unique(in_dtype(np.cos(angles), dtype))
    targets = targets[np.abs(targets) < 1]
    name = session.definition.row_quantity_name
    levels = LEVELS[name].on_grid
    parts = np.meshgrid(targets, np.array(RIVALS), np.array(levels), indexing="ij")
    target, rival, level = (part.ravel() for part in parts)
    cosines = np.stack([target, rival], axis=1)
    rows = session.rows(cosines, {name: level} if name else {}, dtype)
    reading = session.read(rows)
    question = session.question("gst", reading.dtype)
    expected = session.predict("gst", rows.columns)
    with np.errstate(all="ignore"):
        slack = question.allowed(rows.columns, expected)
        own = reading.loss_gradient is not None
        slack = slack + session.beyond("gst", rows, reading.dtype, own_loss=own)
    shape = (len(targets), len(RIVALS), len(levels))
    return Grid(session, rows, shape, reading, expected, slack)


def not_vanishing(found: Grid) -> tuple[Indices, int]:
    """I1: where |g| exceeds s (1 - P) |D|, P being the head's own where it is seen.

    Args:
        found: the head on the grid.

    Returns:
        Indices of violations, and how many points were compared.
    """
    logits, columns = found.reading.logits, found.rows.columns
    with np.errstate(over="ignore", invalid="ignore"):
        rivals = np.logaddexp.reduce(logits[:, 1:], axis=1)
        left = 1 / (1 + np.exp(logits[:, 0] - rivals))
    slope = np.abs(found.session.predict("slope", columns))
    bound = columns["scale"] * left * slope
    if not found.reading.observed:
        bound = np.abs(found.expected)
    bad = ~(np.abs(found.gst) <= bound + 2 * found.slack) & found.reached
    return np.flatnonzero(bad), int(found.reached.sum())


def wrong_rise(found: Grid) -> tuple[Indices, int]:
    """I2: where |g| does not rise, or fall, as the rising criterion has it.

    Args:
        found: the head on the grid.

    Returns:
        Indices of violations, and how many steps the criterion decides.
    """
    criterion = _criterion(found)
    size = np.abs(found.gst).reshape(found.shape)
    slack = found.slack.reshape(found.shape)
    with np.errstate(invalid="ignore"):
        step = np.diff(size, axis=0)
    due = np.diff(np.abs(found.expected).reshape(found.shape), axis=0)
    piece = _on_formula(found)
    same = (criterion[1:] == criterion[:-1]) & (piece[1:] == piece[:-1])
    wanted = np.where(same, criterion[1:], 0)
    unsure = slack[1:] + slack[:-1]
    bad = wanted * step < -unsure
    bad |= (wanted * step <= 0) & (wanted * due > unsure)
    bad |= ~np.isfinite(step) & (wanted != 0)
    index = np.flatnonzero(np.pad(bad, ((1, 0), (0, 0), (0, 0))).ravel())
    return index, int(np.count_nonzero(wanted))


def wrong_sign(found: Grid) -> tuple[Indices, int]:
    """I3: where g has not the sign that the profile's slope gives it.

    Args:
        found: the head on the grid.

    Returns:
        Indices of violations, and how many points were compared.
    """
    allowed_up = np.where(found.expected > 0, np.inf, found.slack)
    allowed_down = np.where(found.expected < 0, np.inf, found.slack)
    good = (found.gst <= allowed_up) & (found.gst >= -allowed_down)
    return np.flatnonzero(~good & found.reached), int(found.reached.sum())


def positive(found: Grid) -> NDArray[np.bool_]:
    """Where the profile itself has g > 0, on the grid."""
    return np.asarray((found.expected > found.slack) & found.reached)


def _criterion(found: Grid) -> Array:
    """sign(D) sign(sin a - P s sin(theta) sin(theta + a)^2); 0 where it is silent.

    Where a profile has left the formula its slope never rises with the cosine, and P
    does: |g| falls. Silent where the slope is 0, as in the dead zones of `clip`.
    """
    session, columns = found.session, found.rows.columns
    angle = np.arccos(columns["target_cosine"])
    margins = margins_of(session.loss, columns)
    if margins is None:
        return np.zeros(found.shape)
    shift = margins.angular
    on_formula = _on_formula(found).ravel()
    moving = session.predict("slope", columns) != 0
    moving &= found.reached
    probability = session.predict("probability", columns)
    turned = np.sin(angle + shift)
    level = np.sin(shift) - (probability * columns["scale"] * np.sin(angle) * turned**2)
    sign = np.sign(turned) * np.sign(level)
    sign = np.where(on_formula, sign, -1.0)
    return np.asarray(np.where(moving, sign, 0).reshape(found.shape))


def _on_formula(found: Grid) -> NDArray[np.bool_]:
    """Where the profile's target logit is the formula's, in the grid's shape."""
    session, columns = found.session, found.rows.columns
    own, pure = (
        session.predict("logit", columns, profile)
        for profile in (session.profile, "pure")
    )
    return np.isclose(own, pure, rtol=0, atol=1e-9).reshape(found.shape)


def curves_of(found: Grid) -> tuple[Curve, ...]:
    """Curves at one rival cosine, one for each level of the norm or the scaler.

    Args:
        found: the head on the invariants' grid.

    Returns:
        Curves of what the head could be given.
    """
    place = RIVALS.index(SHOWN_RIVAL)
    columns = {name: found.column(name) for name in found.rows.columns}
    reached = found.reached.reshape(found.shape)
    got, expected = (part.reshape(found.shape) for part in (found.gst, found.expected))
    curves = []
    for level in range(found.shape[2]):
        line = (reached[:, place, level], place, level)
        held = {
            name: float(column[0, place, level])
            for name, column in columns.items()
            if name not in ("target_cosine", "other_cosine")
        }
        parts = (columns["target_cosine"], got, expected)
        curves.append(Curve(held, *(_picked(part, line) for part in parts)))
    return tuple(curve for curve in curves if curve.cosines)


def _picked(part: Any, line: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in part[line])
