"""The norm's gradient is 0 for AdaFace, and the reference's for MagFace.

Why: AdaFace holds its margin scaler constant: dL/dx . x = 0. With the norm in the
graph, training lowers norms to make its task easier. In MagFace the norm's own gradient
is the point: the margin's slope in the norm, and the regulariser lambda_g (1/u_a^2 -
1/a^2) where the head returns a loss that holds it.

Breaks: Norms are not detached before AdaFace's margin scaler is made of them, or
MagFace's norm or margin is.

Mend: Detach norms in the one, and nothing in the other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adaface_ref.gate.checks.needs import TAKES_NORMS, USES_NORM
from adaface_ref.gate.checks.training.regularisers import regularisers
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import CROSS_ENTROPY, Array, Batch, gradient_by
from adaface_ref.gate.reading.reduction import MEAN
from adaface_ref.gate.session.fresh_head import (
    FreshHead,
    fresh_head_of,
    inputs_of,
    ordinary,
)
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result
from adaface_ref.tolerance import allowed_between_runs

SIZE = 12


def judge(evidence: Evidence, claim: str) -> Result:
    """The gradient by the norms: none for AdaFace, the reference's for MagFace."""
    session = evidence.session
    fresh = fresh_head_of(session)
    rows = ordinary(fresh, SIZE)
    got, own = _norm_gradient(fresh, rows)
    forms = regularisers(fresh, SIZE)
    best: tuple[Array, Array] | None = None
    for weight in forms if own else forms[:1]:
        want, allowed = _expected(fresh, replace(rows, columns=rows.columns | weight))
        if best is None or _excess(got, want, allowed) < _excess(got, *best):
            best = want, allowed
    assert best is not None
    want, allowed = best
    if _excess(got, want, allowed) <= 1:
        words = "the reference's" if session.definition.norm_has_gradient else "0"
        return Result(OK, f"dL/d norm is {words} at {SIZE} rows", SIZE)
    with np.errstate(all="ignore"):
        away = np.nan_to_num(np.abs(got - want) - allowed, nan=np.inf)
    row = int(away.argmax())
    values = float(got[row]), float(want[row])
    finding = wrong_value(
        claim,
        inputs_of(rows, row, rows=SIZE),
        fresh.dtype,
        *values,
        float(allowed[row]),
        "the norm's path: " + _norm_cause(session, got),
        script(fresh, rows, _norm_lines(fresh, rows, row)),
    )
    return Result(FAILED, "the gradient by the norm is off", SIZE, findings=(finding,))


def _norm_cause(session: Session, got: Array) -> str:
    if not session.definition.norm_has_gradient:
        return "norms must be detached before the margin scaler is made of them"
    if not got.any():
        return "the norm or the margin is detached, so that no gradient comes back"
    return "the margin's slope in the norm, or the regulariser, has a wrong factor"


def _norm_gradient(fresh: FreshHead, rows: Rows) -> tuple[Array, bool]:
    """dL/d norm of the loss summed over rows, and whether the loss is the head's."""
    fresh.restore()
    batch = fresh.batch(rows)
    norms = batch.rows["norms"].requires_grad_()
    evaluation = fresh.opened.evaluate(
        Batch(batch.cosine * 1, batch.labels, batch.rows)
    )
    if evaluation.loss is None:
        loss = CROSS_ENTROPY(evaluation.shown, batch.labels, reduction="sum")
    else:
        loss = evaluation.loss * SIZE
    gradient = gradient_by(norms, loss)
    return gradient.double().cpu().numpy(), evaluation.loss is not None


def _expected(fresh: FreshHead, rows: Rows) -> tuple[Array, Array]:
    """What the gradient by the norms must be, and what it may be off."""
    session = fresh.session
    if not session.definition.norm_has_gradient:
        return np.zeros(SIZE), np.zeros(SIZE)
    want = session.predict("norm_gradient", rows.columns)
    return want, allowed_between_runs(fresh.dtype, session.fixed["scale"], want)


def _excess(got: Array, want: Array, allowed: Array) -> float:
    """The largest error as a share of the allowed one; inf for NaN."""
    with np.errstate(all="ignore"):
        share = np.where(got == want, 0.0, np.abs(got - want) / allowed)
    return float(np.nan_to_num(share, nan=np.inf).max())


def _norm_lines(fresh: FreshHead, rows: Rows, row: int) -> list[str]:
    """The lines that print the gradient by a norm."""
    evaluation = fresh.opened.evaluate(fresh.batch(rows))
    total = "torch.nn.functional.cross_entropy(logits, labels, reduction='sum')"
    if evaluation.loss is not None:
        mean = evaluation.reduction == MEAN
        total = f"loss.mean() * {SIZE}" if mean else "loss.sum()"
    return [
        "rows.requires_grad_(), norms.requires_grad_()",
        f"logits, loss = run(rows, labels{extra(rows)})",
        f"(gradient,) = torch.autograd.grad({total}, norms, allow_unused=True)",
        f"print(0.0 if gradient is None else gradient[{row}].item())",
    ]


ROW = Row(judge, needs=(USES_NORM, TAKES_NORMS))
