"""In float16 and bfloat16 logits and gradients are finite, at poles too.

Why: Mixed precision hands a head cosines of eight or eleven bits, and one NaN ends a
training run.

Breaks: A clamp to 1 - 1e-7 is a clamp to 1 in half precision, where the derivative of
acos is infinite.

Mend: Clamp by torch.finfo(dtype).eps, or compute the margin in float32.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from adaface_ref.gate.checks.limits.poles import pole_rows
from adaface_ref.gate.checks.precision.training_step import (
    Case,
    not_finite,
    ordinary_rows,
    train,
)
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.fresh_head import FreshHead, part
from adaface_ref.gate.session.session import Session
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.report.result import Result

NARROW = ("float16", "bfloat16")

VANISHES = (
    "an eps that the dtype rounds away next to 1 (1 - 1e-7 is 1 in half precision), or "
    "an overflow: clamp by the dtype's own eps, or compute in float32"
)


def judge(evidence: Evidence, claim: str) -> Result:
    """Ordinary rows, then the poles, in float16 and bfloat16."""
    session = evidence.session
    compared, left = 0, []
    found: list[Finding] = []
    for dtype in NARROW:
        try:
            for case in _cases(session, dtype):
                finding = not_finite(case, train(case), claim, VANISHES)
                compared += len(case.rows.labels)
                if finding is not None:
                    found.append(finding)
                    break
        except SubjectError as error:
            left.append(f"{dtype} ({error})")
    if found:
        names = " and ".join(dict.fromkeys(finding.dtype for finding in found))
        return Result(FAILED, f"not finite in {names}", compared, findings=tuple(found))
    if not compared:
        return Result(SKIPPED, f"skipped: does not run in {', '.join(left)}")
    detail = f"finite at {compared} rows" + f"; not run: {', '.join(left)}" * bool(left)
    return Result(OK, detail, compared)


def _cases(session: Session, dtype: str) -> Iterator[Case]:
    """Ordinary rows together, then each row at a pole alone."""
    scale = session.fixed["scale"]
    fresh, rows = ordinary_rows(session, dtype)
    yield Case(fresh, rows, scale, session.door)
    pair = FreshHead(session, 2, dtype, session.device)
    for target in (True, False):
        rows = pole_rows(session, dtype, target=target)
        whole = Case(pair, rows, scale, session.door)
        trained = train(whole)
        bad = ~np.isfinite(trained.gradient).all(axis=1)
        bad |= ~np.isfinite(trained.logits).all(axis=1)
        if not bad.any() and np.isfinite(trained.loss):
            yield whole
        for row in np.flatnonzero(bad)[:1]:
            yield whole._replace(rows=part(rows, slice(int(row), int(row) + 1)))


ROW = Row(
    judge,
    severity={"error": "in a dtype that --dtype asks for", "warning": "in another"},
)
