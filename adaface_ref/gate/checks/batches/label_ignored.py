"""A row with label -1 does not train, or is refused with an exception.

Why: Label -1 marks rows to be ignored, such as those of classes that another rank
holds.

Breaks: An index of -1 is the last class to Python and torch, so a head that writes its
margin at cosine[arange(B), labels] margins that class in silence.

Mend: Either leave such rows without margin and gradient, and other rows as they were,
or refuse them with an exception; both pass.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import Array, gradient_by
from adaface_ref.gate.reading.reduction import SUM
from adaface_ref.gate.session.fresh_head import (
    Difference,
    FreshHead,
    by_class,
    by_target,
    fresh_head_of,
    inputs_of,
    ordinary,
    part,
)
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.gate.session.session import Rows
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import allowed_between_runs

SIZE = 12

IGNORED = -1

RAISED = "running the head: "
"""How the message of a head's own exception begins."""

CAUSE = (
    "an index of -1 is the last class to Python and torch: leave rows with a negative "
    "label out of the margin, and call cross_entropy with ignore_index=-1; or refuse it"
)


def judge(evidence: Evidence, claim: str) -> Result:
    """The last row's label is -1; judged on the CPU, where a bad index is no crash."""
    fresh = fresh_head_of(evidence.session, device="cpu")
    rows = ordinary(fresh, SIZE)
    try:
        logits, gradient = _run(fresh, _marked(rows))
    except SubjectError as error:
        if not str(error).startswith(RAISED):
            raise
        why = str(error).removeprefix(RAISED)
        return Result(OK, f"refused: {why}", 1)
    if logits.shape[0] < SIZE:
        return Result(OK, "the row is left out: it gets no logits", 1)
    last = SIZE - 1
    if gradient is not None:
        return _of_loss(fresh, claim, rows, gradient)
    as_label = []
    matrix = by_class(rows.cosines, rows.labels)
    for label in range(fresh.classes):
        labels = rows.labels.copy()
        labels[last] = label
        moved = replace(rows, cosines=by_target(matrix, labels), labels=labels)
        as_label.append(_run(fresh, moved)[0])
    scale = evidence.session.fixed["scale"]
    allowed = allowed_between_runs(fresh.dtype, scale, logits)
    if _apart(logits[:last], as_label[0][:last], allowed[:last]) is not None:
        return _other_rows(fresh, claim, rows, logits, as_label[0], allowed)
    own, slack = [table[last:] for table in as_label], allowed[last:]
    if all(_apart(table, own[0], slack) is None for table in own):
        return Result(SKIPPED, "skipped: the label makes no difference to this row")
    plain = scale * by_class(rows.cosines, rows.labels)[last:]
    for label, table in enumerate(own):
        if _apart(table, plain, slack) is None:
            continue  # here the rule sets the margin aside: nothing to tell it by
        if _apart(logits[last:], table, slack) is None:
            return _taken_as(fresh, claim, rows, logits, label)
    return Result(OK, "a row with label -1 gets no class's margin", SIZE)


def _marked(rows: Rows) -> Rows:
    """The rows, the last one with label -1 and its cosines by class as they were."""
    labels = rows.labels.copy()
    labels[-1] = IGNORED
    matrix = by_class(rows.cosines, rows.labels)
    return replace(rows, cosines=by_target(matrix, labels), labels=labels)


def _run(fresh: FreshHead, rows: Rows) -> tuple[Array, Array | None]:
    """Logits (B, C) by class, and the gradient of the head's own loss, as reduced."""
    fresh.restore()
    batch = fresh.batch(rows)
    given = type(batch)(batch.cosine * 1, batch.labels, batch.rows)
    evaluation = fresh.opened.evaluate(given)
    logits = np.full(rows.cosines.shape, np.nan)
    if evaluation.logits is not None:
        logits = evaluation.logits.detach().double().cpu().numpy()
    if evaluation.loss is None:
        return logits, None
    rows_summed = len(rows.labels) if evaluation.reduction == SUM else 1
    gradient = gradient_by(batch.cosine, evaluation.loss * rows_summed)
    return logits, gradient.double().cpu().numpy()


def _apart(first: Array, second: Array, allowed: Array) -> tuple[int, int] | None:
    """Where two tables differ past rounding, or None."""
    with np.errstate(invalid="ignore"):
        off = ~(np.abs(first - second) <= allowed)
    off &= ~(np.isnan(first) & np.isnan(second)) & (first != second)
    if not off.any():
        return None
    row, place = (int(i) for i in np.argwhere(off)[0])
    return row, place


def _taken_as(
    fresh: FreshHead, claim: str, rows: Rows, logits: Array, label: int
) -> Result:
    """The row got the margin of a class."""
    last = SIZE - 1
    plain = fresh.session.fixed["scale"] * by_class(rows.cosines, rows.labels)[last]
    values = float(logits[last, label]), float(plain[label])
    found = Difference("logit", last, label, *values, 0.0)
    which = "the last class" if label == fresh.classes - 1 else f"class {label}"
    detail = f"label -1 is taken as {which}"
    return Result(FAILED, detail, SIZE, findings=(_found(fresh, claim, rows, found),))


def _other_rows(
    fresh: FreshHead, claim: str, rows: Rows, got: Array, want: Array, allowed: Array
) -> Result:
    """Another row's logits are not what they are without the ignored one."""
    row, place = _apart(got[:-1], want[:-1], allowed[:-1]) or (0, 0)
    at = row, place
    values = float(got[at]), float(want[at]), float(allowed[at])
    finding = _found(fresh, claim, rows, Difference("logit", row, place, *values))
    return Result(FAILED, "label -1 changes another row", SIZE, findings=(finding,))


def _of_loss(fresh: FreshHead, claim: str, rows: Rows, gradient: Array) -> Result:
    """A loss: the row's gradient is 0, that of the others as without it."""
    last = SIZE - 1
    if gradient[last].any():
        place = int(np.abs(gradient[last]).argmax())
        found = Difference("gst", last, place, float(gradient[last, place]), 0.0, 0.0)
        finding = _found(fresh, claim, rows, found)
        return Result(FAILED, "a row with label -1 trains", SIZE, findings=(finding,))
    _, without = _run(fresh, part(rows, slice(0, last)))
    assert without is not None
    scale = fresh.session.fixed["scale"]
    # A mean over all rows, or over those that count: either is a mean.
    for share in (1.0, last / SIZE):
        want = without * share
        allowed = allowed_between_runs(fresh.dtype, scale, want)
        at = _apart(gradient[:last], want, allowed)
        if at is None:
            return Result(OK, "label -1: no gradient, and none changed", SIZE)
        row, place = at
    values = (float(table[row, place]) for table in (gradient, want, allowed))
    finding = _found(fresh, claim, rows, Difference("gst", row, place, *values))
    return Result(FAILED, "label -1 changes another row", SIZE, findings=(finding,))


def _found(fresh: FreshHead, claim: str, rows: Rows, found: Difference) -> Finding:
    """A finding whose script prints the value by class."""
    at = f"[{found.row}, {found.place}]"
    if found.name == "logit":
        lines = [f"logits, _ = run(rows, labels{extra(rows)})"]
        lines.append(f"print(logits{at}.item())")
    else:
        lines = ["leaf = rows.clone().requires_grad_()"]
        lines.append(f"_, loss = run(leaf * 1, labels{extra(rows)})")
        lines.append("(gradient,) = torch.autograd.grad(loss.mean(), leaf)")
        lines.append(f"print(gradient{at}.item())")
    marked = _marked(rows)
    return wrong_value(
        f"{claim} [{found.name}]",
        inputs_of(rows, found.row, label=IGNORED, rows=SIZE, place=found.place),
        fresh.dtype,
        found.got,
        found.want,
        found.allowed,
        CAUSE,
        script(fresh, marked, lines),
    )


ROW = Row(judge, severity={"warning": ""})
