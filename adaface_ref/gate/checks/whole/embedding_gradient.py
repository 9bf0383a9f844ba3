"""The gradient by the embeddings is the chain rule's, for any upstream gradient.

Why: This trains the backbone: dL/dx = (sum_j g_j (w_j - c_j x)) / |x|, tangent to x but
for a loss that reads the norm. The upstream gradient is drawn for each row where the
head gives rows, mixed in sign, as focal weights, masks and scalers have it; kernels
that fuse the backward have taken the first row's for all of them.

Breaks: embeddings that are detached, a backward written by hand that forgets a factor,
the projection or the upstream gradient, a loss divided twice.

Mend: Let autograd differentiate the forward, or multiply what a hand-written backward
returns by the gradient that comes in, row by row.
"""

from __future__ import annotations

from adaface_ref.gate.checks.needs import OWNS_COSINES
from adaface_ref.gate.checks.whole.departures import judge_whole
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.twin.records import EMBEDDINGS
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the gradient by the embeddings."""
    return judge_whole(evidence, claim, EMBEDDINGS)


ROW = Row(judge, needs=(OWNS_COSINES,))
