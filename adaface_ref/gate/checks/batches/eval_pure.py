"""In eval mode nothing that the head holds moves.

Why: Validation must not change what is trained. Where statistics move nevertheless, the
gate puts them back after each reading; wrong values of the margin may follow from that
fault.

Breaks: AdaFace's official head updates its running mean and deviation of norms in eval
mode too, so that the order and number of validation batches change the margins of the
training that follows, and a batch of one poisons them.

Mend: Update statistics under `if self.training:`.
"""

from __future__ import annotations

import math

import torch

from adaface_ref.gate.checks.batches.rows import SIZE
from adaface_ref.gate.checks.needs import IS_MODULE
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.fresh_head import (
    FreshHead,
    fresh_head_of,
    inputs_of,
    ordinary,
    tensors_of,
)
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.gate.session.session import Rows
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.report.result import Result

CALLS = 3
"""Batches after which a head in eval mode must be as it was."""


def judge(evidence: Evidence, claim: str) -> Result:
    """Some batches in eval mode, then everything in the head as it was."""
    fresh = fresh_head_of(evidence.session)
    head = fresh.opened.head
    assert isinstance(head, torch.nn.Module)
    head.eval()
    kept = fresh.kept
    if not kept:
        return Result(SKIPPED, "skipped: the module holds no tensor that could move")
    rows = ordinary(fresh, SIZE)
    # The first call may ask more than once, to tell the loss's reduction.
    fresh.opened.evaluate(fresh.batch(rows))
    fresh.restore()
    for _ in range(CALLS):
        fresh.opened.evaluate(fresh.batch(rows))
    now = {key: tensor.clone() for key, tensor in tensors_of(head)}
    for key, old in kept.items():
        new = now.get(key)
        if new is not None and _equal(old, new):
            continue
        name = ".".join(piece for piece in key if piece)
        if new is not None and new.shape != old.shape:
            detail = f"{name} of shape {tuple(old.shape)} becomes {tuple(new.shape)}"
            return Result(FAILED, f"{detail} in eval mode", CALLS)
        if new is not None and not _counts(fresh, rows, key, new):
            continue  # kept for a log, say
        finding = _moved(fresh, claim, rows, name, old, new)
        return Result(FAILED, f"{name} moves in eval mode", CALLS, findings=(finding,))
    names = ", ".join(name for _, name in kept)
    return Result(OK, f"{names}: as before after {CALLS} batches", CALLS * SIZE)


def _counts(
    fresh: FreshHead, rows: Rows, key: tuple[str, str], tensor: torch.Tensor
) -> bool:
    """Whether what the head gives depends on a tensor that it keeps."""
    before = fresh.read(rows)
    kept = fresh.kept[key]
    try:
        with torch.no_grad():
            fresh.kept[key] = tensor * 2 + 1
        after = fresh.read(rows)
    finally:
        fresh.kept[key] = kept
        fresh.restore()
    return fresh.difference(after, before) is not None


def _moved(
    fresh: FreshHead,
    claim: str,
    rows: Rows,
    name: str,
    old: torch.Tensor,
    new: torch.Tensor | None,
) -> Finding:
    """The first element of a tensor of the head that moved."""
    infinite = new is None or new.shape != old.shape
    before = old.double().reshape(-1)
    after = before * math.nan if infinite or new is None else new.double().reshape(-1)
    index = int((before != after).nonzero()[0])
    got, want = float(after[index]), float(before[index])
    shown = f"print(head.{name}.double().reshape(-1)[{index}].item())"
    lines = [f"for _ in range({CALLS}):", f"    run(rows, labels{extra(rows)})", shown]
    return wrong_value(
        f"{claim} [{name}]",
        inputs_of(rows, 0, rows=SIZE, calls=CALLS),
        fresh.dtype,
        got,
        want,
        0.0,
        "the update does not ask for self.training",
        script(fresh, rows, lines, prepare=("head.eval()",)),
    )


def _equal(old: torch.Tensor, new: torch.Tensor) -> bool:
    """Whether two tensors hold the same numbers, NaN included, in whatever dtype."""
    if old.shape != new.shape:
        return False
    before, after = (tensor.to("cpu", torch.float64) for tensor in (old, new))
    return bool(((before == after) | ((before != before) & (after != after))).all())


ROW = Row(judge, needs=(IS_MODULE,))
