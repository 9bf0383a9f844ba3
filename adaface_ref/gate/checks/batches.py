"""What a head does with batches: rows, classes, repetition, eval mode, ignored rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from adaface_ref.gate.measured.evidence import Evidence, Result
from adaface_ref.gate.reading.reading import Reading, joined
from adaface_ref.gate.session.fresh_head import (
    CLASSES,
    Bench,
    Difference,
    bench_of,
    by_class,
    by_target,
    inputs_of,
    ordinary,
    part,
    tensors_of,
)
from adaface_ref.gate.session.scripts import ending, extra, script
from adaface_ref.gate.session.session import Rows
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding

SIZE = 24
"""Rows of a batch: several times the classes, and no multiple of them."""

CALLS = 3
"""Batches after which a head in eval mode must be as it was."""


def rows_independent(evidence: Evidence, claim: str) -> Result:
    """Each row alone, and in batches of C, against the whole batch."""
    bench = bench_of(evidence.session)
    rows = ordinary(bench, SIZE)
    whole = bench.read(rows)
    for size in (1, CLASSES):
        starts = range(0, SIZE - size + 1, size)
        pieces = [part(rows, slice(start, start + size)) for start in starts]
        alone = joined([bench.read(piece) for piece in pieces])
        together = taken(whole, slice(0, size * len(pieces)))
        found = bench.difference(alone, together)
        if found is not None:
            start = found.row // size * size
            piece, shown = (
                pieces[found.row // size],
                found._replace(row=found.row - start),
            )
            cause = (
                "something is taken over the whole batch, or broadcast against it: a "
                "mean, a maximum, a margin of shape (B,) where (B, 1) is meant"
            )
            finding = _found(bench, claim, piece, shown, cause, whole_batch=SIZE)
            detail = f"a row in a batch of {size} differs from the same in {SIZE}"
            return Result(FAILED, detail, SIZE, findings=(finding,))
    return Result(OK, f"{SIZE} rows, alone, by {CLASSES} and together", 2 * SIZE)


def batch_permutation(evidence: Evidence, claim: str) -> Result:
    """A batch against the same rows in another order."""
    bench = bench_of(evidence.session)
    rows = ordinary(bench, SIZE)
    order = np.random.default_rng(evidence.session.seed).permutation(SIZE)
    moved = part(rows, order)
    found = bench.difference(bench.read(moved), taken(bench.read(rows), order))
    if found is None:
        return Result(OK, f"{SIZE} rows in another order", SIZE)
    cause = "the outcome hangs on a row's place: an index of rows is used as a label, "
    cause += "or a vector of shape (B,) meets the wrong axis"
    finding = _found(bench, claim, moved, found, cause, row=order[found.row])
    detail = "a row's values change with its place in the batch"
    return Result(FAILED, detail, SIZE, findings=(finding,))


def class_permutation(evidence: Evidence, claim: str) -> Result:
    """Classes renamed, labels with them."""
    bench = bench_of(evidence.session)
    rows = ordinary(bench, SIZE)
    order = 1 + np.random.default_rng(evidence.session.seed).permutation(CLASSES - 1)
    order = np.append(order, 0)  # no class stays the first
    labels = np.argsort(order)[rows.labels]
    matrix = by_class(rows.cosines, rows.labels)[:, order]
    moved = replace(rows, cosines=by_target(matrix, labels), labels=labels)
    before, after = bench.read(rows), bench.read(moved)
    found = bench.difference(after, _renamed(before, rows.labels, labels, order))
    if found is None:
        return Result(OK, f"{SIZE} rows with their classes renamed", SIZE)
    cause = "one class is treated in a way of its own: by its number, or as the last"
    finding = _found(bench, claim, moved, found, cause)
    detail = "logits or gradients change with the classes' order"
    return Result(FAILED, detail, SIZE, findings=(finding,))


def deterministic(evidence: Evidence, claim: str) -> Result:
    """The same batch twice, by the same head."""
    bench = bench_of(evidence.session)
    rows = ordinary(bench, SIZE)
    head = bench.opened.head
    if isinstance(head, torch.nn.Module):
        head.eval()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = bench.read(rows)
        bench.restore()
        second = bench.opened.evaluate(bench.batch(rows)).logits
    third = bench.read(rows)
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
            finding = _found(
                bench, claim, rows, found, cause, before=lines, settle=True
            )
            detail = "the same input gives other bits the second time"
            return Result(FAILED, detail, SIZE, findings=(finding,))
    return Result(OK, f"{SIZE} rows, the same bits again", SIZE)


def eval_pure(evidence: Evidence, claim: str) -> Result:
    """Some batches in eval mode, then everything in the head as it was."""
    bench = bench_of(evidence.session)
    head = bench.opened.head
    if not isinstance(head, torch.nn.Module):
        return Result(SKIPPED, "skipped: the head is no module, it has no eval mode")
    head.eval()
    kept = bench.kept
    if not kept:
        return Result(SKIPPED, "skipped: the module holds no tensor that could move")
    rows = ordinary(bench, SIZE)
    # The first call may ask more than once, to tell the loss's reduction.
    bench.opened.evaluate(bench.batch(rows))
    bench.restore()
    for _ in range(CALLS):
        bench.opened.evaluate(bench.batch(rows))
    now = dict(tensors_of(head))
    for key, old in kept.items():
        new = now.get(key)
        if new is not None and _equal(old, new):
            continue
        name = ".".join(piece for piece in key if piece)
        finding = _moved(bench, claim, rows, name, old, new)
        return Result(FAILED, f"{name} moves in eval mode", CALLS, findings=(finding,))
    names = ", ".join(name for _, name in kept)
    return Result(OK, f"{names}: as before after {CALLS} batches", CALLS * SIZE)


def _moved(
    bench: Bench,
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
    return Finding(
        f"{claim} [{name}]",
        inputs_of(rows, 0, rows=SIZE, calls=CALLS),
        bench.dtype,
        got,
        want,
        abs(got - want),
        0.0,
        "the update does not ask for self.training",
        script(bench, rows, lines, prepare=("head.eval()",)),
    )


def taken(reading: Reading, index: np.ndarray | slice) -> Reading:
    """Some rows of a reading."""
    loss = reading.loss_gradient
    return replace(
        reading,
        logits=reading.logits[index],
        jacobian=reading.jacobian[index],
        loss_gradient=None if loss is None else loss[index],
    )


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


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().to("cpu", torch.float64).numpy())


def _equal(old: torch.Tensor, new: torch.Tensor) -> bool:
    """Whether two tensors hold the same numbers, NaN included, in whatever dtype."""
    if old.shape != new.shape:
        return False
    before, after = (tensor.to("cpu", torch.float64) for tensor in (old, new))
    return bool(((before == after) | ((before != before) & (after != after))).all())


def _found(
    bench: Bench,
    claim: str,
    rows: Rows,
    found: Difference,
    cause: str,
    *,
    before: list[str] | None = None,
    settle: bool = False,
    **more: float,
) -> Finding:
    """A finding at one row of a batch."""
    lines = [*(before or []), ending(bench, rows, found.name, found.row, found.place)]
    inputs = inputs_of(
        rows, found.row, rows=len(rows.labels), place=found.place, **more
    )
    return Finding(
        f"{claim} [{found.name}]",
        inputs,
        bench.dtype,
        found.got,
        found.want,
        abs(found.got - found.want),
        found.allowed,
        cause,
        script(
            bench, rows, lines, prepare=("head.eval()",) * settle_module(bench, settle)
        ),
    )


def settle_module(bench: Bench, settle: bool) -> int:
    """Whether the script must put the head in eval mode, as 0 or 1."""
    return int(settle and isinstance(bench.opened.head, torch.nn.Module))
