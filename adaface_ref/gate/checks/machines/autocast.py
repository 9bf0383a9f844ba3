"""Under autocast the result is finite and no narrower than bfloat16.

Why: Mixed precision hands the head cosines of eight bits.

Breaks: acos meets a cosine that was rounded to 1, or a value is written into a tensor
of another dtype.

Mend: Turn autocast off around the margin, and compute in float32.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from adaface_ref.gate.checks.machines.answers import SIZE, answer_of, plain_tensors
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import TrainingCall, training_call
from adaface_ref.gate.session.fresh_head import FreshHead
from adaface_ref.gate.session.scripts import training_script
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import EPSILON


def judge(evidence: Evidence, claim: str) -> Result:
    """The head in float32 under autocast to bfloat16."""
    session = evidence.session
    fresh = FreshHead(session, 5, "float32", session.device)
    case = training_call(fresh, SIZE)
    kind = torch.device(session.device).type
    fresh.restore()
    with torch.autocast(kind, torch.bfloat16):
        value, gradient = answer_of(case, lambda: case.run())
    eps = torch.finfo(value.dtype).eps if value.is_floating_point() else math.inf
    head = f"with torch.autocast({kind!r}, torch.bfloat16):\n    result = run()\n"
    leaf = "embeddings" if "embeddings" in case.given else "cosine"
    if eps > EPSILON["bfloat16"]:
        lines = [head + "print(torch.finfo(result.dtype).eps)"]
        words = f"an answer in {value.dtype}".replace("torch.", "")
        return _not_kept(case, claim, words, eps, EPSILON["bfloat16"], lines)
    for name, tensor in (("value", value), ("gradient", gradient)):
        numbers = tensor.double().cpu().numpy().reshape(-1)
        if np.isfinite(numbers).all():
            continue
        index = int((~np.isfinite(numbers)).argmax())
        at = f"reshape(-1)[{index}].item())"
        lines = [head + f"print(result.{at}"]
        if name == "gradient":
            call = f"(gradient,) = torch.autograd.grad(result.sum(), {leaf})"
            lines = [f"{leaf}.requires_grad_()", head + call, f"print(gradient.{at}"]
        got = float(numbers[index])
        return _not_kept(case, claim, f"the {name}", got, "a finite value", lines)
    kept = str(value.dtype).removeprefix("torch.")
    return Result(OK, f"finite at {SIZE} rows, and given in {kept}", SIZE)


def _not_kept(
    case: TrainingCall,
    claim: str,
    words: str,
    got: float,
    want: float | str,
    lines: list[str],
) -> Result:
    """A violation under autocast."""
    finding = Finding(
        f"{claim} [{words}]",
        {"rows": float(SIZE)},
        "float32",
        got,
        want,
        math.inf if isinstance(want, str) else got - want,
        math.nan if isinstance(want, str) else 0.0,
        "an operation outside autocast's list meets half precision: turn autocast off "
        "around the margin and cast to float32 there",
        training_script(case.fresh, plain_tensors(case), case.source, lines),
    )
    detail = f"under autocast: {words} is not as it must be"
    return Result(FAILED, detail, SIZE, findings=(finding,))


ROW = Row(judge, effort="thorough")
