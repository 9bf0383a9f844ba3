"""Rows in another order give the same values in that order.

Why: A loader shuffles, so a row's place must mean nothing.

Breaks: An index of rows is taken for a label, or a part of the batch is treated in
another way.

Mend: Index with (arange(B), labels), and with nothing else.
"""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.checks.batches.rows import SIZE, row_finding, rows_of
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.fresh_head import fresh_head_of, ordinary, part
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """A batch against the same rows in another order."""
    fresh = fresh_head_of(evidence.session)
    rows = ordinary(fresh, SIZE)
    order = np.random.default_rng(evidence.session.seed).permutation(SIZE)
    moved = part(rows, order)
    found = fresh.difference(fresh.read(moved), rows_of(fresh.read(rows), order))
    if found is None:
        return Result(OK, f"{SIZE} rows in another order", SIZE)
    cause = "the outcome hangs on a row's place: an index of rows is used as a label, "
    cause += "or a vector of shape (B,) meets the wrong axis"
    finding = row_finding(fresh, claim, moved, found, cause, row=order[found.row])
    detail = "a row's values change with its place in the batch"
    return Result(FAILED, detail, SIZE, findings=(finding,))


ROW = Row(judge)
