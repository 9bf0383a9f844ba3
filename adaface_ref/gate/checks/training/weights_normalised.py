"""The lengths of class weights, and of embeddings, change nothing.

Why: These losses are functions of angles. Without normalised weights a class with a
long weight wins whatever the angle is. Embeddings are lengthened only where the length
has no meaning: not for AdaFace and MagFace, nor where norms are given beside
embeddings.

Breaks: torch.nn.functional.normalize is missing or has the wrong dim.

Mend: Normalise the weights along the features' axis, and the embeddings along theirs.
"""

from __future__ import annotations

import numpy as np
import torch

from adaface_ref.gate.checks.needs import OWNS_COSINES
from adaface_ref.gate.head.door import EMBEDDING_SIZE
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import TrainingCall, training_call
from adaface_ref.gate.session.fresh_head import FreshHead, fresh_head_of
from adaface_ref.gate.session.scripts import training_script
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import allowed_between_runs

SIZE = 12

LONGER = 3
"""By so much the weight of one class is lengthened."""

TWICE = 2
"""By so much the embeddings are."""

CLASS = 1
"""Whose weight."""


def judge(evidence: Evidence, claim: str) -> Result:
    """Longer weights, and longer embeddings, change nothing."""
    session = evidence.session
    fresh = fresh_head_of(session)
    case = training_call(fresh, SIZE)
    fresh.restore()
    before = case.run().detach()
    weights = _weights(fresh)
    if weights is None:
        return Result(SKIPPED, "skipped: no parameter has a row for each class")
    name, axis = weights
    head = fresh.opened.head
    assert isinstance(head, torch.nn.Module)
    weight = dict(head.named_parameters())[name]  # a scripted head finds none by name
    fresh.restore()
    with torch.no_grad():
        weight.select(axis, CLASS).mul_(LONGER)
    after = case.run().detach()
    fresh.restore()
    pick = f"{CLASS}" if axis == 0 else f":, {CLASS}"
    text = f"with torch.no_grad():\n    head.{name}[{pick}] *= {LONGER}"
    finding = _changed(claim, case, before, after, text, f"a class's weight {LONGER}")
    if finding is not None:
        detail = "the length of a class's weight counts"
        return Result(FAILED, detail, SIZE, findings=(finding,))
    if session.definition.row_quantity is not None or case.call.has("norms"):
        return Result(OK, f"{name}: a class's length does not count", SIZE)
    after = case.run(embeddings=case.given["embeddings"] * TWICE).detach()
    text = f"embeddings = embeddings * {TWICE}"
    finding = _changed(claim, case, before, after, text, f"embeddings {TWICE}")
    if finding is not None:
        detail = "the embeddings' length counts"
        return Result(FAILED, detail, SIZE, findings=(finding,))
    return Result(OK, f"lengths of {name} and of embeddings do not count", 2 * SIZE)


def _weights(fresh: FreshHead) -> tuple[str, int] | None:
    """The head's class weights: their name, and the axis of the classes."""
    head = fresh.opened.head
    assert isinstance(head, torch.nn.Module)
    shape = (fresh.classes, EMBEDDING_SIZE)
    for name, parameter in head.named_parameters():
        if tuple(parameter.shape) in (shape, shape[::-1]):
            return name, int(tuple(parameter.shape) != shape)
    return None


def _changed(
    claim: str,
    case: TrainingCall,
    before: torch.Tensor,
    after: torch.Tensor,
    line: str,
    what: str,
) -> Finding | None:
    """A finding where the head's answers differ, or None."""
    fresh = case.fresh
    got, want = (t.double().cpu().numpy().reshape(-1) for t in (after, before))
    allowed = allowed_between_runs(fresh.dtype, fresh.session.fixed["scale"], want)
    off = ~(np.abs(got - want) <= allowed) & (got != want)
    if not off.any():
        return None
    index = int(np.argmax(np.where(off, np.abs(got - want), -1)))
    shown = f"print(run().double().reshape(-1)[{index}].item())"
    given = {name: tensor.detach() for name, tensor in case.given.items()}
    return wrong_value(
        f"{claim} [{what.split(' ')[0]} length]",
        {
            "rows": float(SIZE),
            "element": float(index),
            "factor": float(what.split()[-1]),
        },
        fresh.dtype,
        float(got[index]),
        float(want[index]),
        float(allowed[index]),
        "torch.nn.functional.normalize is missing, or takes the wrong dim",
        training_script(fresh, given, case.source, [line, shown]),
    )


ROW = Row(judge, needs=(OWNS_COSINES,))
