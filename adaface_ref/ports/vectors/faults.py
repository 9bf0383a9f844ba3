"""Which known faults a set of test vectors catches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaface_ref.evidence.truth.agreement import parameters_of
from adaface_ref.faults.answers import faulty_answers
from adaface_ref.faults.rows import Fault, faults_of
from adaface_ref.ports.vectors.question import COSINES
from adaface_ref.spec.losses import LOSSES

NO_NORMS = "shows only in norms or their statistics, which vectors do not hold"
NO_VALUE = "no value of this loss is off by more than is allowed, wherever tried"


def faults_in(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, list[str]]]]:
    """Which row catches each fault, and why no row catches the others.

    Args:
        rows: rows of vectors.

    Returns:
        Row numbers by loss and fault; faults by reason and loss.
    """
    caught: dict[str, dict[str, int]] = {}
    missed: dict[str, dict[str, list[str]]] = {NO_NORMS: {}, NO_VALUE: {}}
    for loss in LOSSES:
        asked = [columns_of(row) for row in rows if row["loss"] == loss]
        caught[loss] = dict(sorted(_first_catch(loss, rows).items()))
        for fault in faults_of(parameters_of(loss)):
            if fault.id not in caught[loss]:
                reason = NO_VALUE if _is_known(fault, loss, asked) else NO_NORMS
                missed[reason].setdefault(loss, []).append(fault.id)
    return caught, missed


def _is_known(fault: Fault, loss: str, asked: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a fault's logits follow from what vectors hold."""
    logits = (faulty_answers(fault, loss, columns)["logit"] for columns in asked)
    return not all(np.isnan(logit).all() for logit in logits)


def _first_catch(loss: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, row in enumerate(rows):
        if row["loss"] != loss or row["profile"] != "pure":
            continue
        columns = columns_of(row)
        for fault in faults_of(parameters_of(loss)):
            got = float(faulty_answers(fault, loss, columns)[row["quantity"]][0])
            true = float(row["float64"]["decimal"])
            if abs(got - true) > row["allowed"]["float32"]:
                found.setdefault(fault.id, number)
    return found


def columns_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's inputs as arrays (1,), what it does not take filled in."""
    given = {name: float(value["decimal"]) for name, value in row["inputs"].items()}
    return {name: np.asarray([value]) for name, value in {**COSINES, **given}.items()}
