"""The margin changes the target logit.

Why: A margin without effect leaves plain softmax: training runs and says nothing. The
target logit must differ from s c where the formula says so.

Breaks: The margin cancels out, or is put on a copy that is then thrown away.

Mend: Check that the margined logits are the ones returned.
"""

from __future__ import annotations

import numpy as np

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.measured.evidence import Evidence, probe_finding
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, SKIPPED
from adaface_ref.report.result import Result

NO_MARGIN = 1e-14
"""A margin that moves the target logit / scale by less is none."""


def judge(evidence: Evidence, claim: str) -> Result:
    """Tell the target logits, or their GST, from those without a margin."""
    session, columns = evidence.session, evidence.probes.rows.columns
    without = columns["scale"] * columns["target_cosine"]
    formula = session.predict("logit", columns, "pure")
    same = np.abs(formula - without) <= NO_MARGIN * columns["scale"]
    due = evidence.probes.telling & ~same
    if not due.any():
        return Result(SKIPPED, "skipped: the margin judged is 0")
    quantity = "logit" if evidence.probes.reading.observed else "gst"
    got = evidence.probes.measured[quantity]
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


ROW = Row(judge)
