"""The gradient by every class's weights is the chain rule's.

Why: dL/dW_j = (sum_i g_ij (x_i - c_ij w_j)) / |W_j| moves each class centre, and on the
sphere alone: dL/dW_j . W_j = 0. A head whose weights get no gradient trains the
backbone towards random directions, and its loss falls all the same.

Breaks: weights that are no nn.Parameter, detached or cached without a graph, half a
gradient, classes left out of the backward, a gradient that is not projected onto the
sphere.

Mend: Normalise the parameter itself at every call, with autograd on.
"""

from __future__ import annotations

import torch

from adaface_ref.gate.checks.needs import OWNS_COSINES
from adaface_ref.gate.checks.whole.departures import judge_whole
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.fresh_head import fresh_head_of
from adaface_ref.gate.twin.records import WEIGHTS
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the gradient by the class weights."""
    head = fresh_head_of(evidence.session).opened.head
    if isinstance(head, torch.nn.Module) and not any(True for _ in head.parameters()):
        detail = "the head has no parameters: no optimiser sees its class weights"
        return Result(FAILED, detail, 1)
    return judge_whole(evidence, claim, WEIGHTS)


ROW = Row(judge, needs=(OWNS_COSINES,))
