"""Value checks: what a port answers against the truth, shrunk across the pipe."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from adaface_ref import numpy_reference
from adaface_ref.evidence.truth.agreement import (
    INPUTS,
    Comparison,
    Judgement,
    Question,
    judge,
    parameters_of,
)
from adaface_ref.evidence.truth.shrink import simplest
from adaface_ref.evidence.truth.tally import Tally
from adaface_ref.ports.comparison.asker import Asker
from adaface_ref.ports.comparison.questions import Columns, as_columns, blocks
from adaface_ref.ports.pipe.bits import Floats
from adaface_ref.ports.pipe.protocol import RefusedError
from adaface_ref.tolerance import allowed_of_cross_entropy


@dataclass
class PortTally(Tally):
    """What the value check of one quantity of a port has come to so far.

    Args:
        poles: values left out, since they are singular at c = +-1.
        failure: the simplest violation, or the worst where it could not be shrunk.
        whole: all inputs at that point.
        dtype: of the failure.
        alone: whether the port is wrong at that point by itself, too.
        error: why the check could not go on.
    """

    poles: int = 0
    failure: Comparison | None = None
    whole: Mapping[str, float] = field(default_factory=dict)
    dtype: str = ""
    alone: bool = False
    error: str = ""


def compare_values(
    asker: Asker, tallies: dict[str, PortTally], progress: Callable[[float], None]
) -> None:
    """Ask block after block, and judge; a quantity that failed is not asked again.

    Args:
        asker: the port and the cell.
        tallies: by quantity, filled in as the answers come.
        progress: called with the share done.

    Raises:
        PortError: the port failed; the tallies hold what was found before.
    """
    share = math.ceil(asker.points / len(asker.dtypes))
    done = 0
    for dtype in asker.dtypes:
        for columns, corners in blocks(asker.cell, dtype, asker.seed, share):
            left = tuple(q for q in asker.quantities if not tallies[q].failure)
            if not left:
                return
            try:
                values = asker.values(columns, dtype, left)
            except RefusedError as error:
                for quantity in left:
                    tallies[quantity].error = f"the port answers an error: {error}"
                return
            for quantity in left:
                question = asker.question(quantity, dtype)
                got = values[quantity]
                more = extra_allowance(question, columns)
                judged = judge(question, columns, got, corners=corners, beyond=more)
                tallies[quantity].count(judged)
                tallies[quantity].asked += got.size
                tallies[quantity].poles += judged.poles
                if judged.failures:
                    _shrink(asker, tallies[quantity], columns, got, judged)
            done += columns["target_cosine"].size
            progress(min(1.0, done / asker.points))


def _shrink(
    asker: Asker, tally: PortTally, columns: Columns, got: Floats, judged: Judgement
) -> None:
    """Keep the worst failure, then the simplest that the port still fails at."""
    worst, question = judged.failures[0], judged.question
    same = np.equal(got, worst.got) | np.isnan([worst.got])
    for name, value in worst.point.items():
        same &= columns[name] == value
    index = int(np.argmax(same))
    whole = {name: float(column[index]) for name, column in columns.items()}
    tally.failure, tally.whole, tally.dtype = worst, whole, question.dtype

    def failures_at(point: Mapping[str, float]) -> tuple[Comparison, ...]:
        return _failures(asker, question, point)

    tally.alone = bool(failures_at(whole))
    if not tally.alone:
        return
    loss, dtype = asker.cell.loss, question.dtype
    point = simplest(whole, lambda trial: bool(failures_at(trial)), loss, dtype)
    again = failures_at(point)
    if again:
        tally.failure, tally.whole = again[0], point


def _failures(
    asker: Asker, question: Question, point: Mapping[str, float]
) -> tuple[Comparison, ...]:
    """What the port gets wrong at one point.

    Raises:
        ValueError: the point lies outside a domain, ours or the port's.
    """
    columns, quantity = as_columns(point), question.quantity
    names = (*INPUTS[quantity], *parameters_of(question.loss))
    # Refuses what lies outside the domains: a port need not answer there.
    getattr(numpy_reference, quantity)(
        question.loss, profile=question.profile, **{n: point[n] for n in names}
    )
    try:
        got = asker.values(columns, question.dtype, (quantity,))[quantity]
    except RefusedError as error:
        raise ValueError(str(error)) from None
    more = extra_allowance(question, columns)
    return judge(question, columns, got, certify_all=True, beyond=more).failures


def extra_allowance(question: Question, columns: Columns) -> Floats | float:
    """What a port's values may be off besides what a head's may.

    Args:
        question: what is compared.
        columns: the points.
    """
    if question.quantity != "loss_value":
        return 0.0
    given = {name: columns[name] for name in parameters_of(question.loss)}
    logit = numpy_reference.logit(
        question.loss, columns["target_cosine"], profile=question.profile, **given
    )
    rival = columns["scale"] * columns["rival_cosine"]
    return allowed_of_cross_entropy(question.dtype, logit, rival)
