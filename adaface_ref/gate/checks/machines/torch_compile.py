"""torch.compile changes no value.

Why: A compiled head must be the head.

Breaks: Forward sets Python numbers that the compiler takes for constants, or a branch
asks whether it is being compiled.

Mend: Keep what changes in buffers, and branch with torch.where.
"""

from __future__ import annotations

import numpy as np
import torch

from adaface_ref.gate.checks.machines.answers import (
    SIZE,
    Answer,
    answer_of,
    plain_tensors,
)
from adaface_ref.gate.checks.needs import COMPILER
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import Array
from adaface_ref.gate.session.as_trained import TrainingCall, training_call
from adaface_ref.gate.session.fresh_head import fresh_head_of
from adaface_ref.gate.session.scripts import training_script
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import allowed_between_runs


def judge(evidence: Evidence, claim: str) -> Result:
    """torch.compile(head) against the head."""
    fresh = fresh_head_of(evidence.session)
    case = training_call(fresh, SIZE)
    fresh.restore()
    plain = answer_of(case, lambda: case.run())
    fresh.restore()
    try:
        with calling("compiling the head"):
            head = torch.compile(fresh.opened.head)  # type: ignore[call-overload]
            got = answer_of(case, lambda: case.run(head))
    finally:
        torch._dynamo.reset()
    return _compared(case, claim, got, plain)


def _compared(case: TrainingCall, claim: str, got: Answer, want: Answer) -> Result:
    fresh = case.fresh
    for name, first, second in zip(("value", "gradient"), got, want, strict=True):
        mine, theirs = (t.double().cpu().numpy().reshape(-1) for t in (first, second))
        allowed = allowed_between_runs(
            fresh.dtype, fresh.session.fixed["scale"], theirs
        )
        with np.errstate(invalid="ignore"):
            off = ~(np.abs(mine - theirs) <= allowed) & (mine != theirs)
        off &= ~(np.isnan(mine) & np.isnan(theirs))
        if off.any():
            index = int(off.argmax())
            finding = _differs(case, claim, name, index, mine, theirs, allowed)
            detail = f"the compiled head's {name} is another"
            return Result(FAILED, detail, SIZE, findings=(finding,))
    return Result(OK, f"{SIZE} rows, the same compiled", SIZE)


def _differs(
    case: TrainingCall,
    claim: str,
    name: str,
    index: int,
    got: Array,
    want: Array,
    allowed: Array,
) -> Finding:
    line = f"print(run().double().reshape(-1)[{index}].item())"
    leaf = "embeddings" if "embeddings" in case.given else "cosine"
    lines = [line]
    if name == "gradient":
        lines = [
            f"{leaf}.requires_grad_()",
            f"(gradient,) = torch.autograd.grad(run().sum(), {leaf})",
            f"print(gradient.double().reshape(-1)[{index}].item())",
        ]
    return wrong_value(
        f"{claim} [{name}]",
        {"rows": float(SIZE), "element": float(index)},
        case.fresh.dtype,
        float(got[index]),
        float(want[index]),
        float(allowed[index]),
        "the compiler specialised on something that changes, such as a Python number "
        "that forward sets, or the head asks whether it is being compiled",
        training_script(
            case.fresh,
            plain_tensors(case),
            case.source,
            lines,
            ("head = torch.compile(head)",),
        ),
    )


ROW = Row(judge, needs=(COMPILER,), effort="thorough")
