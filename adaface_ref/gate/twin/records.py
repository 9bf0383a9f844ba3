"""What a comparison of whole heads keeps: the runs, and where a head departs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from adaface_ref.gate.session.session import Rows
from adaface_ref.gate.twin.drawn_inputs import Shape
from adaface_ref.gate.twin.whole_head import Given
from adaface_ref.numpy_reference.arguments import Array

VALUES, EMBEDDINGS, WEIGHTS = "values", "embeddings", "weights"
COSINES = "cosines"
"""What is compared: logits or losses, and the gradients by what a head is given."""


MEAN, SUM, ROWS, LOGITS = "mean", "sum", "rows", "logits"
"""What a head gives: a reduced loss, one for each row, or logits."""


class Case(NamedTuple):
    """One run of a head, with all that is needed to run it again.

    Args:
        shape: of the batch.
        dtype: the head's.
        after_step: whether a step of training went before.
        given: what it was given.
        parameters: the class weights as the head keeps them, by name.
        upstream: the gradient that comes to its logits or loss.
        judged: source text from its result to the logits or the loss.
        rows: of a head that is given cosines, what it was given.
    """

    shape: Shape
    dtype: str
    after_step: bool
    given: Given
    parameters: Mapping[str, Array]
    upstream: Array
    judged: str
    rows: Rows | None = None


class Departure(NamedTuple):
    """Where a head departs from its twin.

    Args:
        what: VALUES, EMBEDDINGS, WEIGHTS or COSINES.
        case: the run.
        place: which element.
        got: what the head gave.
        want: what the twin gives.
        allowed: what it may be off.
        cause: the likely cause.
        kept: the parameter and the index in it, for an entry of the class weights.
    """

    what: str
    case: Case
    place: tuple[int, ...]
    got: float
    want: float
    allowed: float
    cause: str
    kept: tuple[str, tuple[int, ...]] = ("", ())


@dataclass
class Compared:
    """What was compared, and where the head departs.

    Args:
        shapes: that were run, with dtype.
        numbers: how many values were compared, by what.
        worst: the largest error as a share of the allowed one, by what.
        departures: the first by what.
        lacking: why nothing, or not all, could be compared.
        single: whether float32 within a float64 call explains what is off there.
        gives: LOGITS, MEAN, SUM or ROWS.
        steps: calls of torch in the last forward.
        left: what was left out, and why.
        layout: where the class weights lie, in words.
        besides: what the last step moved besides the class weights.
    """

    shapes: list[tuple[Shape, str]] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)
    departures: dict[str, Departure] = field(default_factory=dict)
    lacking: str = ""
    single: bool = False
    gives: str = ""
    steps: int = 0
    left: str = ""
    layout: str = ""
    besides: Sequence[str] = ()
