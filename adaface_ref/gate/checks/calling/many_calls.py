"""After hundreds of calls the head gives the same, and keeps nothing more alive.

Why: An epoch has thousands of batches. A margin that follows the number of calls is no
margin of the loss, and a head that keeps every batch's graph runs out of memory.

Breaks: a schedule that counts calls, losses or logits appended to a list with their
graph, a queue without an end.

Mend: Schedule the margin from outside, with the epoch; log .item(), not tensors.
"""

from __future__ import annotations

import gc

import torch

from adaface_ref.gate.checks.calling.ways import (
    RUN,
    SIZE,
    Way,
    judge_ways,
    leaf_of,
    run_plainly,
)
from adaface_ref.gate.checks.needs import NOT_COMPILED
from adaface_ref.gate.guarding.guard import seeded
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import TrainingCall, training_call
from adaface_ref.gate.session.fresh_head import fresh_head_of, inputs_of, ordinary
from adaface_ref.gate.session.scripts import training_script
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result

CALLS = 400
"""Calls in a row."""

LOGGED = 2_000
"""Calls after which what a head keeps must have stopped growing: the last thousand
losses are a log."""


def judge(evidence: Evidence, claim: str) -> Result:
    """Call the head many times; count what stays alive."""
    kept: list[float] = []

    def after_many(case: TrainingCall) -> torch.Tensor:
        kept.append(_kept_by_a_call(case, CALLS // 4, CALLS))
        if kept[-1]:
            kept[-1] = _kept_by_a_call(case, LOGGED - CALLS // 4, LOGGED)
        return run_plainly(case)

    lines = (f"for _ in range({CALLS}):", "    run()", RUN)
    way = Way(f"after {CALLS} calls", after_many, lines)
    result = judge_ways(evidence, claim, (way,), both_modes=False)
    grown = max(kept, default=0.0)
    if result.status != OK or not grown:
        return result
    fresh = fresh_head_of(evidence.session)
    case = training_call(fresh, SIZE)
    counting = [
        "import gc",
        "",
        "",
        "def alive():",
        "    gc.collect()",
        "    return sum(torch.is_tensor(found) for found in gc.get_objects())",
        "",
        "",
        "before = alive()",
        f"for _ in range({CALLS}):",
        "    run()",
        f"print((alive() - before) / {CALLS})",
    ]
    given = {name: tensor.detach() for name, tensor in case.given.items()}
    leaf = "embeddings" if "embeddings" in given else "cosine"
    finding = wrong_value(
        f"{claim} [tensors kept alive by each call]",
        inputs_of(ordinary(fresh, SIZE), 0, rows=SIZE, calls=CALLS),
        fresh.dtype,
        grown,
        0.0,
        0.0,
        "results, with all that they were made of, are kept in a list",
        training_script(
            fresh, given, case.source, [f"{leaf}.requires_grad_()", *counting]
        ),
    )
    detail = f"each call leaves {grown:.3g} tensors alive"
    return Result(FAILED, detail, CALLS, findings=(finding,))


def _kept_by_a_call(case: TrainingCall, first: int, calls: int) -> float:
    """How many tensors each call after the first ones leaves alive; 0 for fewer than
    one in two calls."""
    counts = []
    gc.freeze()  # what is there now is not looked through each time
    try:
        for count in (first, calls - first):
            _call(case, count)
            counts.append(_tensors_alive())
    finally:
        gc.unfreeze()
    grown = (counts[1] - counts[0]) / (calls - first)
    return grown if grown >= 0.5 else 0.0


def _call(case: TrainingCall, calls: int) -> None:
    name, leaf = leaf_of(case)
    with seeded(0):
        for _ in range(calls):
            labels = case.given["labels"].clone()
            case.run(**{name: leaf * 1, "labels": labels})


def _tensors_alive() -> int:
    """How many new tensors there are, numbers without a graph apart: a log's."""
    gc.collect()
    return sum(
        found.grad_fn is not None or found.numel() > 1
        for found in gc.get_objects()
        if issubclass(type(found), torch.Tensor)
    )


ROW = Row(judge, needs=(NOT_COMPILED,))
