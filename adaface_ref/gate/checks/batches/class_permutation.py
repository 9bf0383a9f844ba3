"""Classes in another order give the same values in that order.

Why: Class numbers are names. CurricularFace's hard classes are chosen by their cosine,
so the same holds for it.

Breaks: Class 0 or the last one stands for background or padding, or sums leave a class
out.

Mend: Treat all columns alike, the label's own apart.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adaface_ref.gate.checks.batches.rows import SIZE, row_finding
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import Reading
from adaface_ref.gate.session.fresh_head import (
    CLASSES,
    by_class,
    by_target,
    fresh_head_of,
    ordinary,
)
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Classes renamed, labels with them."""
    fresh = fresh_head_of(evidence.session)
    rows = ordinary(fresh, SIZE)
    order = 1 + np.random.default_rng(evidence.session.seed).permutation(CLASSES - 1)
    order = np.append(order, 0)  # no class stays the first
    labels = np.argsort(order)[rows.labels]
    matrix = by_class(rows.cosines, rows.labels)[:, order]
    moved = replace(rows, cosines=by_target(matrix, labels), labels=labels)
    before, after = fresh.read(rows), fresh.read(moved)
    found = fresh.difference(after, _renamed(before, rows.labels, labels, order))
    if found is None:
        return Result(OK, f"{SIZE} rows with their classes renamed", SIZE)
    cause = "one class is treated in a way of its own: by its number, or as the last"
    finding = row_finding(fresh, claim, moved, found, cause)
    detail = "logits or gradients change with the classes' order"
    return Result(FAILED, detail, SIZE, findings=(finding,))


def _renamed(
    reading: Reading,
    labels: np.ndarray,
    new: np.ndarray,
    order: np.ndarray,
) -> Reading:
    """A reading as it must be once classes are renamed."""

    def table(values: np.ndarray) -> np.ndarray:
        return by_target(by_class(values, labels)[:, order], new)

    return replace(
        reading,
        logits=table(reading.logits),
        loss_gradient=table(reading.gst),
    )


ROW = Row(judge)
