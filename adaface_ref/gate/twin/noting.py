"""What both comparisons with a twin share: the upstream gradient, and departures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode

from adaface_ref.gate.session.session import Session
from adaface_ref.gate.twin.drawn_inputs import Shape, draw_upstream
from adaface_ref.gate.twin.records import LOGITS, MEAN, ROWS, Case, Compared, Departure
from adaface_ref.gate.twin.whole_head import Bounded, Twin
from adaface_ref.numpy_reference.arguments import Array

Mask = NDArray[np.bool_]

MOST_FOR_CAUSES = 1000
"""Classes past which no cause is looked for."""

MOST_STEPS = 500
"""Calls of torch with so many classes past which more classes would take minutes."""


class Steps(TorchFunctionMode):
    """Counts calls of torch, as a loop over classes in Python makes many of them."""

    count = 0

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Count one and make it."""
        self.count += 1
        return func(*args, **(kwargs or {}))


def is_left_out(found: Compared, shape: Shape) -> bool:
    """Whether a shape has more classes than a head that loops over them can be given.

    Args:
        found: what is added to, where it is.
        shape: the next one.
    """
    if shape.classes <= MOST_FOR_CAUSES or found.steps <= MOST_STEPS:
        return False
    found.left = (
        f"not at {shape.classes} classes: with {MOST_FOR_CAUSES} the head makes "
        f"{found.steps} calls of torch"
    )
    return True


def departs(want: Bounded, got: Array, rows: Mask) -> bool:
    """Whether a value is off by more than it may be.

    Args:
        want: what is wanted.
        got: what the head gave.
        rows: which rows count, where there is a value for each.
    """
    share = want.shares(got)
    if len(rows) == len(share):
        share = share[rows]
    return bool((share > 1).any())


def settled(twin: Twin) -> Mask:
    """Rows with no tie among nearest vectors, and no pole within rounding: (B,).

    Args:
        twin: the head's twin.
    """
    finite = np.isfinite(twin.slopes.allowed).all(axis=1)
    return np.asarray(finite & ~twin.tied.any(axis=1))


def upstream_of(
    session: Session, twin: Twin, got: Array, gives: str
) -> tuple[Array, Array]:
    """The upstream gradient, and what it is of the logits or of the rows' losses.

    Args:
        session: the head.
        twin: its twin.
        got: what the head gave.
        gives: LOGITS, ROWS, MEAN or SUM.
    """
    drawn = draw_upstream(session.seed, got.shape, twin.dtype)
    size = len(twin.given.labels)
    if gives == LOGITS:
        # A shift of a row means nothing to a softmax, and gets no gradient from it.
        drawn = drawn - drawn.mean(axis=1, keepdims=True)
        return drawn, drawn
    if gives == ROWS:
        return drawn, drawn
    share = 1 / size if gives == MEAN else 1.0
    return drawn, np.full(size, float(drawn[0]) * share)


def note(
    found: Compared,
    what: str,
    at: Case,
    got: Array,
    want: Bounded,
    rows: Mask | None,
    cause: Callable[[], str],
) -> bool:
    """Add a comparison, and the first departure; whether there is none here.

    Args:
        found: what is added to.
        what: VALUES or one of the gradients.
        at: the run.
        got: what the head gave.
        want: what its twin gives.
        rows: which rows of `got` are compared, all of them if there is no such row.
        cause: finds the likely cause.
    """
    share = want.shares(got)
    if rows is not None and len(rows) == len(share):
        share = share[rows]
    elif rows is not None and not rows.all():
        return True
    found.numbers[what] = found.numbers.get(what, 0) + share.size
    worst = float(share.max(initial=0.0))
    found.worst[what] = max(found.worst.get(what, 0.0), worst)
    if worst <= 1:
        return True
    known = found.departures.get(what)
    if known is not None:
        if not known.cause and at.shape.classes <= MOST_FOR_CAUSES:
            # A larger batch may tell what a small one cannot.
            found.departures[what] = known._replace(cause=cause())
        return False
    share = want.shares(got)
    if rows is not None and len(rows) == len(share):
        share[~rows] = 0.0
    place = tuple(int(i) for i in np.unravel_index(int(share.argmax()), share.shape))
    found.departures[what] = Departure(
        what, at, place, float(got[place]), float(want.value[place]),
        float(want.allowed[place]), cause(),
    )  # fmt: skip
    return False
