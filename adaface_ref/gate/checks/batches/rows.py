"""Readings of some rows of a batch, and what is told where they differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from adaface_ref.gate.reading.reading import Reading
from adaface_ref.gate.session.fresh_head import Difference, FreshHead, inputs_of
from adaface_ref.gate.session.scripts import ending, script
from adaface_ref.gate.session.session import Rows
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import Finding

SIZE = 24
"""Rows of a batch: several times the classes, and no multiple of them."""


def rows_of(reading: Reading, index: np.ndarray | slice) -> Reading:
    """Some rows of a reading."""
    loss = reading.loss_gradient
    return replace(
        reading,
        logits=reading.logits[index],
        jacobian=reading.jacobian[index],
        loss_gradient=None if loss is None else loss[index],
    )


def row_finding(
    fresh: FreshHead,
    claim: str,
    rows: Rows,
    found: Difference,
    cause: str,
    *,
    before: list[str] | None = None,
    in_eval_mode: bool = False,
    **more: float,
) -> Finding:
    """A finding at one row of a batch.

    Args:
        fresh: the head.
        claim: the check's sentence.
        rows: the batch.
        found: the difference.
        cause: the likely cause.
        before: lines of the script ahead of its last.
        in_eval_mode: whether the script must put a module in eval mode.
        more: further inputs.

    Returns:
        The finding.
    """
    settles = in_eval_mode and isinstance(fresh.opened.head, torch.nn.Module)
    lines = [*(before or []), ending(fresh, rows, found.name, found.row, found.place)]
    inputs = inputs_of(
        rows, found.row, rows=len(rows.labels), place=found.place, **more
    )
    return wrong_value(
        f"{claim} [{found.name}]",
        inputs,
        fresh.dtype,
        found.got,
        found.want,
        found.allowed,
        cause,
        script(fresh, rows, lines, prepare=("head.eval()",) * settles),
    )
