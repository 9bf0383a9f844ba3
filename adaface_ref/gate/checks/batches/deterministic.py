"""The same input gives the same bits twice.

Why: A run that cannot be repeated cannot be debugged, and a verdict on a random head
holds for one draw only.

Breaks: Dropout or noise that is on in eval mode, or torch.empty that is read before it
is written.

Mend: Draw random margins in training mode only, where self.training says so.
"""

from __future__ import annotations

import numpy as np
import torch

from adaface_ref.gate.checks.batches.rows import SIZE, row_finding
from adaface_ref.gate.guarding.guard import seeded
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.fresh_head import (
    Difference,
    by_target,
    fresh_head_of,
    ordinary,
)
from adaface_ref.gate.session.scripts import extra
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """The same batch twice, by the same head."""
    fresh = fresh_head_of(evidence.session)
    rows = ordinary(fresh, SIZE)
    head = fresh.opened.head
    if isinstance(head, torch.nn.Module):
        head.eval()
    with seeded(0):
        first = fresh.read(rows)
        fresh.restore()
        second = fresh.opened.evaluate(fresh.batch(rows)).logits
    third = fresh.read(rows)
    again = first.logits
    if second is not None:
        again = by_target(_numpy(second), rows.labels)
    for name, got, want in (
        ("logit", again, first.logits),
        ("gst", third.gst, first.gst),
    ):
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        if not same.all():
            row, place = (int(i) for i in np.argwhere(~same)[0])
            values = float(got[row, place]), float(want[row, place])
            found = Difference(name, row, place, *values, 0.0)
            cause = "random numbers: dropout, noise on the margin; or memory that is "
            cause += "read before it is written"
            lines = ["torch.manual_seed(0)", f"run(rows, labels{extra(rows)})"]
            finding = row_finding(
                fresh, claim, rows, found, cause, before=lines, in_eval_mode=True
            )
            detail = "the same input gives other bits the second time"
            return Result(FAILED, detail, SIZE, findings=(finding,))
    return Result(OK, f"{SIZE} rows, the same bits again", SIZE)


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().to("cpu", torch.float64).numpy())


ROW = Row(judge)
