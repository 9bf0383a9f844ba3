"""Each row is judged by its own norm, given as (B,) or (B, 1).

Why: Norms of shape (B,) times a matrix (B, C) broadcast along the classes. For B unlike
C that raises; where B = C it does not, and every row silently takes another row's
margin.

Breaks: Norms are used in the shape in which they come.

Mend: Write norms.reshape(-1, 1), or refuse other shapes.
"""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.checks.needs import (
    HOLDS_STATISTICS,
    MARGIN_FOLLOWS_NORMS,
    TAKES_NORMS,
    USES_NORM,
)
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.session import Session
from adaface_ref.gate.statistics.model import ROUNDINGS
from adaface_ref.gate.statistics.scenario import (
    CLASSES,
    Player,
    Scenario,
    Step,
    history_finding,
)
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result

NORMS = (35.0, 52.0, 70.0, 44.0)
"""One row more than classes: then (B, 1) and (B, C) cannot be taken for one another."""

CAUSE = (
    "norms of shape {shape} broadcast over classes: where B = C a row silently takes "
    "another row's margin; reshape them to (B, 1) first, or refuse them"
)


def judge(evidence: Evidence, claim: str) -> Result:
    """Give a batch of as many rows as classes its norms in either shape.

    Args:
        evidence: the head.
        claim: the check's sentence.

    Returns:
        The result; a shape that the head refuses is no violation.

    Raises:
        SubjectError: the head takes neither shape.
    """
    session = evidence.session
    want, compared, refused = _reference(session), 0, []
    allowed = ROUNDINGS * session.fixed["scale"]
    for column, shape in ((False, "(B,)"), (True, "(B, 1)")):
        scenario = Scenario(_steps(session, NORMS[:CLASSES], column))
        got = _logits(session, scenario)
        if got is None:
            refused.append(shape)
            continue
        compared += CLASSES
        for row in range(CLASSES):
            if not abs(got[row] - want[row]) <= allowed:
                history = Scenario(scenario.steps, row=row)
                cause, due = CAUSE.format(shape=shape), want[row]
                found = history_finding(session, claim, history, cause, due, allowed)
                return Result(FAILED, cause, compared, findings=(found,))
    told = f"; {' and '.join(refused)} is refused" if refused else ""
    return Result(OK, f"each row has its own margin where B = C{told}", compared)


def _reference(session: Session) -> list[float]:
    """The rows' logits in a batch in which shapes cannot be confused."""
    for column in (False, True):
        found = _logits(session, Scenario(_steps(session, NORMS, column)))
        if found is not None:
            return found
    raise SubjectError("the head takes norms neither as (B,) nor as (B, 1)")


def _steps(
    session: Session, norms: tuple[float, ...], column: bool
) -> tuple[Step, ...]:
    call = Step("eval", norms, column)
    if session.hold is None:
        return (call,)
    numbers = session.hold.numbers
    if session.hold.policy.moves_in_eval:
        numbers = session.hold.policy.aimed(numbers, np.asarray(norms))
    return Step("set", numbers=numbers), call


def _logits(session: Session, scenario: Scenario) -> list[float] | None:
    """Every row's target logit, or None where the head refuses the norms."""
    player = Player(session)
    try:
        for step in scenario.steps:
            player.step(step)
    except SubjectError:
        return None
    rows = range(len(player.logits))
    return [player.read(Scenario((), row=row)) for row in rows]


ROW = Row(judge, needs=(USES_NORM, TAKES_NORMS, MARGIN_FOLLOWS_NORMS, HOLDS_STATISTICS))
