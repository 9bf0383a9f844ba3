"""What the head gives is the same where no gradient is asked for.

Why: Validation, distillation and evaluation of a loss run under no_grad or
inference_mode, or on features that want no gradient. A head that takes another path
there is measured by another loss than it is trained with. On the features of a frozen
network the weights train all the same.

Breaks: a margin behind `if torch.is_grad_enabled()` or `if x.requires_grad`.

Mend: Ask for `self.training` where training differs from evaluation, for nothing else.
"""

from __future__ import annotations

import torch

from adaface_ref.gate.checks.calling.ways import (
    RUN,
    Way,
    judge_ways,
    leaf_of,
    run_plainly,
    run_with,
)
from adaface_ref.gate.checks.needs import NOT_COMPILED
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import TrainingCall
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def _no_grad(case: TrainingCall) -> torch.Tensor:
    with torch.no_grad():
        return run_plainly(case)


def _inference(case: TrainingCall) -> torch.Tensor:
    with torch.inference_mode():
        return run_plainly(case)


def _detached(case: TrainingCall) -> torch.Tensor:
    name, leaf = leaf_of(case)
    return run_with(case, **{name: leaf.detach().clone()})


WAYS = (
    Way("under no_grad", _no_grad, ("with torch.no_grad():", f"    {RUN}"),
        gradients="none"),
    Way("in inference_mode", _inference,
        ("with torch.inference_mode():", f"    {RUN}"), gradients="none"),
    Way("on inputs that want no gradient", _detached,
        ("for tensor in [v for v in globals().values() if torch.is_tensor(v)]:",
         "    tensor.requires_grad_(False)", RUN), gradients="weights"),
)  # fmt: skip


def judge(evidence: Evidence, claim: str) -> Result:
    """Run the head where autograd is off."""
    return judge_ways(evidence, claim, WAYS)


ROW = Row(judge, needs=(NOT_COMPILED,))
