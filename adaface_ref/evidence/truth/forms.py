"""The three forms of the truth against each other, cell by cell.

A cell is one loss under one profile. The spec is the judge; the NumPy reference and
the torch implementation are judged, every quantity at every point of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from adaface_ref import numpy_reference, torch_heads
from adaface_ref.choices import DTYPES
from adaface_ref.evidence.truth.agreement import (
    INPUTS,
    Columns,
    Comparison,
    Floats,
    Judgement,
    Question,
    judge,
    parameters_of,
    quantities_of,
)
from adaface_ref.evidence.truth.shrink import simplest
from adaface_ref.points import block, corner_count
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES

GRADIENTS = ("true", "detached")


class Cell(NamedTuple):
    """One loss under one profile."""

    loss: str
    profile: str


class Agreement(NamedTuple):
    """How one implementation agrees with the spec in one cell.

    Args:
        cell: loss and profile.
        form: "numpy" or "torch".
        dtype: of the cosines and of the results.
        device: where it was computed.
        judgements: one a quantity.
    """

    cell: Cell
    form: str
    dtype: str
    device: str
    judgements: tuple[Judgement, ...]

    @property
    def worst(self) -> Judgement:
        """The judgement with the largest share of the allowed error."""
        return max(self.judgements, key=lambda judgement: judgement.ratio)

    @property
    def compared(self) -> int:
        """Values compared."""
        return sum(judgement.compared for judgement in self.judgements)

    @property
    def certified(self) -> int:
        """Values that balls decided."""
        return sum(judgement.certified for judgement in self.judgements)

    @property
    def agrees(self) -> bool:
        """Whether every quantity was compared, none failed and none is undecided."""
        return all(
            j.compared and not (j.failures or j.undecided) for j in self.judgements
        )


def defined_cells() -> tuple[Cell, ...]:
    """Every loss under every rule that is defined for it, true and detached."""
    return tuple(
        Cell(loss, rule.id if gradient == "true" else f"{rule.id}:detached")
        for loss in LOSSES
        for rule in RULES.values()
        if loss in rule.losses
        for gradient in GRADIENTS
    )


def numpy_values(quantity: str, cell: Cell, columns: Columns) -> Floats:
    """A quantity from the NumPy reference.

    Args:
        quantity: a key of INPUTS.
        cell: loss and profile.
        columns: arrays (N,) by name.

    Returns:
        Array (N,).
    """
    function = getattr(numpy_reference, quantity)
    given = _arguments(quantity, cell, columns)
    values = function(cell.loss, profile=cell.profile, **given)
    result: Floats = np.broadcast_to(values, columns["target_cosine"].shape)
    return result


def torch_values(
    quantity: str, cell: Cell, columns: Columns, dtype: str, device: str = "cpu"
) -> Floats:
    """A quantity from the torch closed forms, widened to float64.

    Args:
        quantity: a key of INPUTS.
        cell: loss and profile.
        columns: arrays (N,) by name; the cosines must be values of `dtype`.
        dtype: of the cosines; parameters stay float64.
        device: "cpu" or "cuda".

    Returns:
        Array (N,).
    """
    function = getattr(torch_heads, quantity)
    given = {
        name: _tensor(name, column, dtype, device)
        for name, column in _arguments(quantity, cell, columns).items()
    }
    values = function(cell.loss, profile=cell.profile, **given)
    wide: Floats = values.double().cpu().numpy()
    return np.broadcast_to(wide, columns["target_cosine"].shape)


def _arguments(quantity: str, cell: Cell, columns: Columns) -> dict[str, Floats]:
    names = (*INPUTS[quantity], *parameters_of(cell.loss))
    return {name: columns[name] for name in names}


def _tensor(name: str, column: Floats, dtype: str, device: str) -> Any:
    if name == "multiplier":
        return float(column[0])
    kind = getattr(torch, dtype) if name.endswith("_cosine") else torch.float64
    return torch.from_numpy(np.ascontiguousarray(column)).to(device, kind)


def agreements(
    cell: Cell, seed: int, size: int, device: str = "cpu"
) -> Iterator[Agreement]:
    """Judges the NumPy reference and torch in every dtype in one cell.

    Args:
        cell: loss and profile.
        seed: of the block.
        size: points besides the corners.
        device: where torch computes.

    Yields:
        One agreement for each form and dtype.
    """
    forms = [("numpy", "float64", "cpu")]
    forms += [("torch", dtype, device) for dtype in DTYPES]
    for form, dtype, place in forms:
        columns = block(cell.loss, seed, profile=cell.profile, size=size, dtype=dtype)
        yield Agreement(
            cell,
            form,
            dtype,
            place,
            tuple(_judge_values(cell, form, dtype, place, columns)),
        )


def _judge_values(
    cell: Cell, form: str, dtype: str, device: str, columns: Columns
) -> Iterator[Judgement]:
    corners = corner_count(cell.loss, cell.profile, dtype)
    for quantity in quantities_of(cell.loss):
        if form == "numpy":
            values = partial(numpy_values, quantity, cell)
        else:
            values = partial(torch_values, quantity, cell, dtype=dtype, device=device)
        question = Question(quantity, cell.loss, cell.profile, dtype)
        yield compare(
            question, columns, values, corners=corners, certify_all=form == "numpy"
        )


def compare(
    question: Question,
    columns: Columns,
    values: Callable[[Columns], Floats],
    *,
    corners: int = 0,
    certify_all: bool = False,
) -> Judgement:
    """Judges an implementation on a block, and shrinks the worst failure.

    Args:
        question: what is compared.
        columns: arrays (N,) by name.
        values: the implementation: columns to an array (N,).
        corners: so many of the first points go to the oracle.
        certify_all: send every point to the oracle.

    Returns:
        The judgement; its first failure is the simplest point found that fails.
    """
    judgement = judge(
        question, columns, values(columns), corners=corners, certify_all=certify_all
    )
    if not judgement.failures:
        return judgement

    def failures_at(point: Mapping[str, float]) -> tuple[Comparison, ...]:
        one = {name: np.asarray([value]) for name, value in point.items()}
        return judge(question, one, values(one), certify_all=True).failures

    worst, *rest = judgement.failures
    whole = {name: float(column[0]) for name, column in columns.items()} | worst.point
    point = simplest(
        whole, lambda trial: bool(failures_at(trial)), question.loss, question.dtype
    )
    return judgement._replace(failures=(*failures_at(point)[:1], *rest))
