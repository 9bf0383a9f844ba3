"""A head built afresh for checks of its behaviour, run on batches of ordinary rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from adaface_ref.gate.head.door import Opened
from adaface_ref.gate.reading.reading import Array, Batch, Reading, make_batch, read
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.points import in_dtype
from adaface_ref.tolerance import EPSILON, allowed_between_runs

CLASSES = 5
"""So many that classes can be told apart by place."""

STEP = 2.0**-7
"""Cosines are multiples of it, so that they are the same in every dtype."""


class Difference(NamedTuple):
    """The worst place where two runs of a head differ by more than rounding.

    Args:
        name: logit or gst.
        row, place: where; the target's place is 0.
        got, want: what the two runs gave.
        allowed: what they may differ by.
    """

    name: str
    row: int
    place: int
    got: float
    want: float
    allowed: float


@dataclass(frozen=True)
class FreshHead:
    """A head of its own for one check, so that no check sees what another left.

    Args:
        session: the head under judgement.
        classes: how many classes.
        dtype: the cosines' dtype.
        device: a torch device.
    """

    session: Session
    classes: int
    dtype: str
    device: str

    @cached_property
    def opened(self) -> Opened:
        """The head, in eval mode where it has statistics."""
        opened = self.session.unheld(self.classes, self.dtype, self.device)
        if isinstance(opened.head, torch.nn.Module) and self.settles:
            opened.head.eval()
        return opened

    @cached_property
    def settles(self) -> bool:
        """Whether the head has buffers, and is judged in eval mode for that."""
        head = self.session.head(self.classes, self.dtype).head
        return isinstance(head, torch.nn.Module) and any(True for _ in head.buffers())

    @cached_property
    def kept(self) -> dict[tuple[str, str], torch.Tensor]:
        """Everything in the head that could move, as it was at first."""
        return {key: value.clone() for key, value in tensors_of(self.opened.head)}

    def restore(self) -> None:
        """Put everything back to what it was at first."""
        kept = self.kept
        with torch.no_grad():
            for key, value in tensors_of(self.opened.head):
                if key in kept and kept[key].shape == value.shape:
                    value.copy_(kept[key])

    def batch(self, rows: Rows) -> Batch:
        """Rows as tensors."""
        return make_batch(
            rows.cosines, rows.labels, rows.given, self.dtype, self.device
        )

    def read(self, rows: Rows) -> Reading:
        """Run the head on rows, from its first state."""
        self.restore()
        return read(self.opened.evaluate, self.batch(rows))

    def difference(self, got: Reading, want: Reading) -> Difference | None:
        """Where two readings of the same rows differ most, past rounding."""
        scale, worst = self.session.fixed["scale"], None
        widest = max(got.dtype, want.dtype, key=EPSILON.__getitem__)
        pairs = (("logit", got.logits, want.logits), ("gst", got.gst, want.gst))
        for name, first, second in pairs:
            allowed = allowed_between_runs(widest, scale, second)
            with np.errstate(invalid="ignore"):
                same = (first == second) | (np.isnan(first) & np.isnan(second))
                share = np.where(same, 0.0, np.abs(first - second) / allowed)
            share = np.nan_to_num(share, nan=np.inf)
            row, place = np.unravel_index(int(share.argmax()), share.shape)
            if share[row, place] > 1 and worst is None:
                at = int(row), int(place)
                values = (float(part[at]) for part in (first, second, allowed))
                worst = Difference(name, *at, *values)
        return worst


def fresh_head_of(
    session: Session, classes: int = CLASSES, device: str = ""
) -> FreshHead:
    """A fresh head in the widest dtype that is judged."""
    dtype = min(session.dtypes, key=EPSILON.__getitem__)
    classes = max(classes, session.door.form.classes)
    return FreshHead(session, classes, dtype, device or session.device)


def ordinary(fresh: FreshHead, size: int) -> Rows:
    """Rows well away from the poles, drawn by the session's seed.

    Args:
        fresh: for how many classes, and in which dtype.
        size: how many rows.

    Returns:
        The rows; half have a rival near the target's cosine, so that gradients are not
        all 0.
    """
    session = fresh.session
    random = np.random.default_rng([session.seed, size, fresh.classes])
    steps = random.integers(-115, 124, (size, fresh.classes))
    steps[::2, 1] = (steps[::2, 0] - random.integers(20, 80, len(steps[::2]))).clip(
        -120
    )
    extra = {}
    own = session.definition.row_quantity_name
    if own == "margin_scaler":
        extra["margin_scaler"] = random.integers(-126, 127, size) / 128
    if own == "feature_norm":
        lower, upper = session.fixed["norm_lower"], session.fixed["norm_upper"]
        extra["feature_norm"] = random.uniform(0.5 * lower, 1.1 * upper, size)
        extra["feature_norm"][::2] = random.uniform(lower, upper, len(steps[::2]))
    extra = {name: in_dtype(value, fresh.dtype) for name, value in extra.items()}
    cosines = session.reachable((steps * STEP).astype(np.float64), fresh.dtype)
    rows = session.rows(cosines, extra, fresh.dtype)
    # Labels that follow the rows' order would hide what mixes up the two.
    return replace(rows, labels=random.integers(0, fresh.classes, size))


def part(rows: Rows, index: NDArray[np.intp] | slice) -> Rows:
    """Some of the rows, in an order of one's own."""
    return Rows(
        rows.cosines[index],
        rows.labels[index],
        {name: column[index] for name, column in rows.columns.items()},
        {name: column[index] for name, column in rows.given.items()},
        rows.dtype,
    )


def inputs_of(batch: Rows, row: int, /, **more: float) -> dict[str, float]:
    """A row's inputs for a finding, and whatever else decides the outcome."""
    own = {name: float(column[row]) for name, column in batch.columns.items()}
    own |= {name: float(column[row]) for name, column in batch.given.items()}
    return own | {name: float(value) for name, value in more.items()}


def by_class(table: Array, labels: NDArray[np.int64]) -> Array:
    """A table (B, C) that has the target first, with class 0 first."""
    classes = table.shape[1]
    places = (np.arange(classes)[None, :] - labels[:, None]) % classes
    return np.take_along_axis(table, places, axis=1)


def by_target(table: Array, labels: NDArray[np.int64]) -> Array:
    """A table (B, C) that has class 0 first, with the target first."""
    classes = table.shape[1]
    places = (np.arange(classes)[None, :] + labels[:, None]) % classes
    return np.take_along_axis(table, places, axis=1)


def tensors_of(head: object) -> Iterator[tuple[tuple[str, str], torch.Tensor]]:
    """Every tensor that a head holds, by module and name."""
    if not isinstance(head, torch.nn.Module):
        return
    for place, module in head.named_modules():
        held: dict[str, Any] = {**vars(module), **module._buffers, **module._parameters}
        for name, value in held.items():
            if isinstance(value, torch.Tensor):
                yield (place, name), value.detach()
