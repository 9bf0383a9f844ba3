"""The checks, as rows: an id, one sentence, and how it is found out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

import numpy as np

from adaface_ref import numpy_reference as reference
from adaface_ref.evidence.truth.margins import margins_of
from adaface_ref.gate.checks.behaviour_rows import BEHAVIOUR
from adaface_ref.gate.checks.continuity import CONTINUITY, continuous
from adaface_ref.gate.checks.explanations import explained
from adaface_ref.gate.checks.global_state import CLAIM, EXPLANATION, global_state
from adaface_ref.gate.checks.norms import norms_shape
from adaface_ref.gate.checks.poles import broken, pole_finding, pole_rows
from adaface_ref.gate.checks.severity import graded
from adaface_ref.gate.checks.statistics import running_statistics, statistics_policy
from adaface_ref.gate.checks.statistics_words import (
    HISTORY_EXPLAINED,
    POLICY_EXPLAINED,
    SHAPE_EXPLAINED,
)
from adaface_ref.gate.guarding.errors import SubjectError, subject_error
from adaface_ref.gate.guarding.guard import guarded
from adaface_ref.gate.measured import invariant_grid as invariants
from adaface_ref.gate.measured.evidence import (
    Evidence,
    Result,
    finding_at,
    probe_finding,
)
from adaface_ref.gate.measured.values import QUANTITIES, findings
from adaface_ref.gate.session.session import EFFORTS
from adaface_ref.gate.session.snippets import AFTER, snippet
from adaface_ref.report.report import (
    ERROR,
    FAILED,
    NOTE,
    OK,
    SKIPPED,
    WARNING,
    Finding,
    Outcome,
)


class Check(NamedTuple):
    """One check.

    Args:
        id: its name.
        claim: one sentence, which a failure repeats.
        run: finds it out.
        severity: what a violation is: "error", "warning" or "note".
        effort: the least effort at which it is run.
        explanation: why it matters, what usually breaks it, how to put it right.
        needs: what it looks at that not every way of reading shows: a key of a door's
            `lacking`, such as "logits".
    """

    id: str
    claim: str
    run: Callable[[Evidence, str], Result]
    severity: str = "error"
    effort: str = "quick"
    explanation: str = ""
    needs: str = ""


def _profile(evidence: Evidence, claim: str) -> Result:
    identity, pinned = evidence.identity, evidence.session.request.profile
    count = int(evidence.probes.telling.sum())
    if pinned and identity.fits and identity.profile != pinned:
        detail = f"pinned `{pinned}`, but it is {identity.sentence}"
        index = int(np.argmax(evidence.probes.off(pinned)))
        finding = probe_finding(evidence, claim, index, profile=pinned)
        return Result(FAILED, detail, count, findings=(finding,))
    if not identity.fits:
        finding = probe_finding(evidence, claim, identity.departs or 0)
        return Result(FAILED, identity.sentence, count, findings=(finding,))
    return Result(OK, f"`{identity.profile}` at {count} probes", count)


def _own_gradient(evidence: Evidence, claim: str) -> Result:
    identity, pinned = evidence.identity, evidence.session.request.profile
    if not identity.fits:
        return Result(SKIPPED, "skipped: the head fits no profile")
    if "detached" not in identity.profile:
        return Result(OK, "the slope is that of the head's own forward")
    detail = "detached: D is 1 everywhere, the margin is left out of the gradient"
    if pinned:
        return Result(NOTE, f"{detail}; accepted by --profile {pinned}")
    true = identity.profile.replace("detached", "true")
    slope = evidence.session.predict("slope", evidence.probes.rows.columns, true)
    away = np.where(evidence.probes.telling, np.abs(slope - 1), 0)
    index = int(np.argmax(np.where(np.isfinite(away), away, 0)))
    finding = probe_finding(evidence, claim, index, profile=true)
    count = int(evidence.probes.telling.sum())
    return Result(FAILED, detail, count, findings=(finding,))


def _value(evidence: Evidence, claim: str, *, check: str) -> Result:
    tally = evidence.tallies[check]
    detail = f"{tally.compared} points, worst {tally.ratio:.2g} of the allowed error"
    if tally.failed:
        found = findings(evidence.session, claim, tally, evidence.cause)
        detail = f"{tally.compared} points, worst {tally.ratio:.3g} times the allowed"
        return Result(FAILED, detail, tally.compared, tally.ratio, tuple(found))
    if tally.undecided:
        return Result(ERROR, f"could not decide {tally.undecided} points")
    if not tally.compared:
        return Result(FAILED, "nothing was compared")
    return Result(OK, detail, tally.compared, tally.ratio)


def _poles(evidence: Evidence, claim: str, *, target: bool) -> Result:
    session, compared, worst = evidence.session, 0, []
    evidence.settle()
    for dtype in session.dtypes:
        rows = pole_rows(session, dtype, target=target)
        index, places = broken(session, rows)
        compared += len(rows.cosines)
        # One finding for each cosine that breaks it is enough.
        ends = rows.cosines[index, 0 if target else 1]
        for _, first in zip(*np.unique(ends, return_index=True), strict=True):
            row, place = int(index[first]), int(places[first])
            worst.append(pole_finding(session, claim, rows, row, place))
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


def _untouched(evidence: Evidence, claim: str) -> Result:
    if evidence.session.door.owns_cosines:
        return Result(SKIPPED, "skipped: the head makes its own cosines")
    probes = evidence.probes
    if probes.reading.untouched:
        return Result(OK, "cosines, labels and norms are as they were")
    changed = np.abs(probes.reading.after - probes.rows.cosines)
    index, place = (int(i) for i in np.unravel_index(changed.argmax(), changed.shape))
    row = probes.rows.take(index)
    finding = Finding(
        claim,
        {name: float(column[0]) for name, column in row.columns.items()},
        row.dtype,
        float(evidence.session.read(row).after[0, place]),
        float(row.cosines[0, place]),
        float(changed[index, place]),
        0.0,
        "an operation in place: write to a clone",
        snippet(evidence.session, row, AFTER, place),
    )
    detail = "the head writes into its arguments"
    return Result(FAILED, detail, len(probes.rows.cosines), findings=(finding,))


def _margin_works(evidence: Evidence, claim: str) -> Result:
    evidence.settle()
    session, columns = evidence.session, evidence.probes.rows.columns
    margins = margins_of(session.loss, columns)
    if margins is None:
        plain = columns["multiplier"] == 1
    else:
        plain = (margins.multiplier == 1) & (margins.angular == 0)
        plain &= margins.additive == 0
    due = evidence.probes.telling & ~plain
    if not due.any():
        return Result(SKIPPED, "skipped: the margin judged is 0")
    quantity = "logit" if evidence.probes.reading.observed else "gst"
    got = evidence.probes.measured[quantity]
    without = columns["scale"] * columns["target_cosine"]
    if quantity == "gst":
        plain = ("target_cosine", "rival_cosine", "scale")
        without = reference.gst("normface", **{name: columns[name] for name in plain})
    want = session.predict(quantity, columns)
    working = evidence.probes.reading.dtype
    question = session.question(quantity, working)
    with np.errstate(all="ignore"):
        due &= np.abs(want - without) > 10 * question.allowed(columns, want)
    if not due.any():
        detail = f"skipped: the margin is below what {working} can show"
        return Result(SKIPPED, detail)
    if (np.abs(got - without) < np.abs(got - want))[due].all():
        index = int(np.flatnonzero(due)[0])
        finding = probe_finding(evidence, claim, index)
        detail = "the target logit is s c"
        return Result(FAILED, detail, int(due.sum()), findings=(finding,))
    shown = quantity.replace("logit", "target logit").replace("gst", "GST")
    of_plain = "s c" if quantity == "logit" else "that of s c"
    return Result(OK, f"the {shown} departs from {of_plain}", int(due.sum()))


def _invariant_1(evidence: Evidence, claim: str) -> Result:
    bad, compared = invariants.not_vanishing(evidence.grid)
    return _on_grid(evidence, claim, bad, compared, "|g| <= s (1 - P) |D|")


def _invariant_2(evidence: Evidence, claim: str) -> Result:
    session = evidence.session
    if session.loss not in invariants.SHIFTED:
        return Result(SKIPPED, "skipped: stated for targets cos(theta + a) - b only")
    if "detached" in session.profile:
        return Result(SKIPPED, "skipped: the slope is detached")
    bad, compared = invariants.wrong_rise(evidence.grid)
    return _on_grid(evidence, claim, bad, compared, "|g| rises and falls as it must")


def _invariant_3(evidence: Evidence, claim: str) -> Result:
    grid = evidence.grid
    bad, compared = invariants.wrong_sign(grid)
    result = _on_grid(evidence, claim, bad, compared, "g is never above 0")
    up = invariants.positive(grid)
    if result.status != OK or not up.any():
        return result
    easiest = float(np.abs(grid.rows.cosines[up, 0]).min())
    where = f"g > 0 at {int(up.sum())} grid points, all of |c| >= {easiest:.4f}"
    return Result(WARNING, f"{where}, as `{evidence.session.profile}` has it", compared)


def _compared(evidence: Evidence, claim: str) -> Result:
    tallies = evidence.tallies
    few = {check: tally for check, tally in tallies.items() if not tally.suffices}
    told = few or tallies
    asked = sum(tally.asked for tally in told.values())
    compared = sum(tally.compared for tally in told.values())
    left_out = sum((tally.left_out for tally in told.values()), Counter())
    reasons = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
    detail = f"{compared} of {asked} values" + f"; left out: {reasons}" * bool(reasons)
    if few:
        return Result(FAILED, f"{', '.join(few)}: {detail}", compared)
    return Result(OK, detail, compared)


CHECKS = (
    Check("profile", "The head is the loss in one known profile.", _profile,
          explanation=explained("profile")),
    Check("own-gradient", "The gradient is that of the head's own forward.",
          _own_gradient, explanation=explained("own-gradient")),
    *(
        Check(check, f"The {words} is the formula's, within the allowed error.",
              partial(_value, check=check), explanation=explained(check),
              needs="logits" if check.endswith("logit") else "")
        for check, words in zip(
            QUANTITIES,
            ("logit of the target class", "logit of every other class",
             "GST of the target class", "GST of every other class"),
            strict=True,
        )
    ),
    Check("poles-target", "Gradients are finite where the target cosine is +-1 or "
          "just past it.", partial(_poles, target=True),
          explanation=explained("poles-target"), needs="poles"),
    Check("poles-other", "Gradients are finite where another class's cosine is +-1 or "
          "just past it.", partial(_poles, target=False),
          explanation=explained("poles-other"), needs="poles"),
    Check("inputs-untouched", "The head leaves its arguments as they were.",
          _untouched, explanation=explained("inputs-untouched")),
    Check("margin-has-effect", "The margin changes the target logit.", _margin_works,
          explanation=explained("margin-has-effect")),
    Check("invariant-1", "At a fixed angle the GST goes to 0 as P goes to 1.",
          _invariant_1, explanation=explained("invariant-1")),
    Check("invariant-2", "|GST| rises with the cosine where the rising criterion says "
          "so, and nowhere else.", _invariant_2, explanation=explained("invariant-2")),
    Check("invariant-3", "The GST is never above 0, but where the profile has it so.",
          _invariant_3, explanation=explained("invariant-3")),
    Check("continuity", "The target logit has no jump.", continuous,
          explanation=CONTINUITY, needs="logits"),
    Check("statistics-policy", "Running statistics follow the official policy.",
          statistics_policy, explanation=POLICY_EXPLAINED),
    Check("running-statistics", "Whatever the steps of training, the statistics are "
          "ours, and finite.", running_statistics, explanation=HISTORY_EXPLAINED),
    Check("norms-shape", "Each row is judged by its own norm, given as (B,) or (B, 1).",
          norms_shape, explanation=SHAPE_EXPLAINED),
    *(Check(*row) for row in BEHAVIOUR),
    Check("compared-something", "Every value check compared most of its points.",
          _compared, explanation=explained("compared-something")),
    Check("global-state", CLAIM, global_state, explanation=EXPLANATION),
)  # fmt: skip
"""All checks, in the order of the report."""


def run_check(
    check: Check,
    evidence: Evidence,
    *,
    effort: str = "thorough",
    strict: bool = False,
    accept: Collection[str] = (),
) -> Outcome:
    """Run one check; what stops it is an error, never a pass.

    Args:
        check: a row of CHECKS.
        evidence: what it looks at.
        effort: the run's; a check that wants more is skipped.
        strict: whether warnings are errors.
        accept: departures that the user accepts, as in `severity`.

    Returns:
        The outcome.
    """
    order = list(EFFORTS)
    if order.index(check.effort) > order.index(effort):
        reason = f"skipped: runs at --effort {check.effort} only"
        return Outcome(check.id, check.claim, SKIPPED, reason)
    lacking = evidence.session.door.lacking if check.needs else {}
    if check.needs in lacking:
        why = f"skipped: {lacking[check.needs]}"
        return Outcome(check.id, check.claim, SKIPPED, why)
    try:
        with guarded("running the head", functions=True):
            result = check.run(evidence, check.claim)
    except Exception as error:
        return Outcome(check.id, check.claim, ERROR, could_not_run(error))
    outcome = Outcome(check.id, check.claim, *result)
    session = evidence.session
    return graded(
        outcome,
        check.severity,
        asked=session.dtypes,
        profile=session.profile,
        strict=strict,
        accept=accept,
    )


def could_not_run(error: Exception, doing: str = "judging the head") -> str:
    """One line for what stopped a check: the head's fault, or ours."""
    if not isinstance(error, SubjectError):
        error = subject_error(doing, error)
    return f"could not run: {error}"


def _on_grid(
    evidence: Evidence, claim: str, bad: invariants.Indices, compared: int, detail: str
) -> Result:
    if not compared:
        return Result(SKIPPED, "skipped: the profile promises nothing on the grid")
    if not len(bad):
        return Result(OK, f"{detail} ({compared} grid points)", compared)
    grid = evidence.grid
    index = int(bad[0])
    want = float(grid.expected[index])
    row = grid.rows.take(index)
    cause = evidence.cause
    allowed, session = float(grid.slack[index]), evidence.session
    finding = finding_at(session, claim, row, "gst", want, allowed, cause)
    text = f"violated at {len(bad)} of {compared} grid points"
    return Result(FAILED, text, compared, findings=(finding,))
