"""The target logit has no jump.

Why: A jump in the target logit means that two samples of almost the same angle get
losses that differ by a finite amount, and that training pushes samples across the jump
rather than along it. Many public heads have it.

Breaks: A rule for large angles whose value does not meet the formula's: `fallback` (c -
m sin m), `fallback-plain` and `easy` (c).

Mend: Choose `reflect`, `shift` or `min`, which go on without a jump; to keep it, accept
= ["jump"].
"""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.checks.needs import SHOWS_LOGITS
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.thresholds import thresholds
from adaface_ref.gate.reading.reading import Array
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.margins import margins_of
from adaface_ref.numpy_reference import parse_profile
from adaface_ref.points import in_dtype
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import OK, SKIPPED, WARNING
from adaface_ref.report.result import Result
from adaface_ref.tolerance import EPSILON

STEP = {"float64": 1e-8}
"""How far beside a threshold, in angle, the logit is read; else by the dtype."""


def judge(evidence: Evidence, claim: str) -> Result:
    """Look for a jump at every place where some rule leaves the formula."""
    session = evidence.session
    rule = parse_profile(session.profile).rule
    dtype = "float64" if "float64" in session.dtypes else session.dtypes[0]
    tight = max(1e-3, 8 * EPSILON[dtype]) * session.fixed["scale"]
    places, jumps, blurred = [], [], []
    for words, angle, level in _places(evidence):
        rows = _beside(session, angle, level, dtype)
        if rows.cosines[0, 0] == rows.cosines[1, 0]:
            blurred.append(words)
            continue
        places.append(words)
        before, after = session.read(rows).logits[:, 0]
        if not abs(after - before) < tight:
            jumps.append((float(after - before), angle))
    if blurred and not places:
        where = "theta near pi" if len(blurred) > 1 else blurred[0]
        return Result(SKIPPED, f"skipped: {dtype} cannot tell angles at {where} apart")
    if not places:
        return Result(SKIPPED, "skipped: there is no angle at which rules change")
    if not jumps:
        left = f"; {dtype} cannot tell {', '.join(blurred)}" * bool(blurred)
        return Result(OK, f"no jump at {', '.join(places)}{left}", 2 * len(places))
    told = ", ".join(f"by {jump:+.5f} at theta = {angle:.4f}" for jump, angle in jumps)
    detail = f"the target logit jumps {told}, as `{rule}` has it"
    return Result(WARNING, detail, 2 * len(places))


def _places(evidence: Evidence) -> list[tuple[str, float, float]]:
    """The thresholds of a row in the middle, and that row's angular margin."""
    session, probes = evidence.session, evidence.probes
    margins = margins_of(session.loss, probes.rows.columns)
    if margins is None:
        return []
    found = []
    for place in thresholds(session.loss, probes.rows.columns):
        there = np.flatnonzero(np.isfinite(place.angle) & probes.telling)
        if there.size:
            order = there[np.argsort(place.angle[there], kind="stable")]
            row = int(order[order.size // 2])
            angle, level = float(place.angle[row]), float(margins.angular[row])
            if 0 < angle < np.pi:
                found.append((place.words, angle, level))
    return found


def _beside(session: Session, angle: float, level: float, dtype: str) -> Rows:
    """Two rows, one on each side of an angle, at the angular margin `level`."""
    eps, gap = EPSILON[dtype], min(angle, np.pi - angle)
    step = STEP.get(dtype, max(1e-4, 2 * eps / np.sin(angle)))
    around = angle + np.array([-1, 1]) * min(step, gap / 2)
    return _at_margin(session, np.cos(around), np.full(2, level), dtype)


def _at_margin(session: Session, cosines: Array, level: Array, dtype: str) -> Rows:
    """Two rows whose angular margin is near `level`."""
    extra = {}
    own = session.definition.row_quantity_name
    if own == "margin_scaler":
        extra["margin_scaler"] = -level / session.fixed["margin"]
    if own == "feature_norm":
        low, high = session.fixed["margin_lower"], session.fixed["margin_upper"]
        share = (level - low) / (high - low) if high > low else 0 * level
        ends = session.fixed["norm_lower"], session.fixed["norm_upper"]
        extra["feature_norm"] = ends[0] + share * (ends[1] - ends[0])
    cosines = in_dtype(np.stack([cosines, 0 * cosines], axis=1), dtype)
    return session.rows(cosines, extra, dtype)


ROW = Row(judge, needs=(SHOWS_LOGITS,), severity={"warning": ""}, accept="jump")
