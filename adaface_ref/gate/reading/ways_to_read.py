"""Two ways to read a head that takes embeddings, and which of them is right for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.reading.argument_meanings import Call, run
from adaface_ref.gate.reading.black_box import Embedding, set_weights
from adaface_ref.gate.reading.leaf import LeafOfCosines
from adaface_ref.gate.reading.reading import (
    CROSS_ENTROPY,
    Batch,
    Evaluate,
    Evaluation,
)
from adaface_ref.gate.reading.reduction import reduced, reduction_of

LEAF = "read through a leaf of cosines in place of its first matrix product"
BLACK_BOX = (
    "read as a black box, by embeddings whose cosines with the weights are known"
)

SAME = 1e-3
"""Two readings in single precision are one where they differ by less, relatively; one
that is wrong differs by a good part of the scale."""

TRIED = ((0.6, -0.3), (-0.4, 0.5), (0.2, 0.7), (-0.8, -0.1))
"""Cosines, target first, at which a reading is tried."""


@dataclass(frozen=True)
class Manner:
    """How a head is read.

    Args:
        call: how it is called.
        black_box: by embeddings of known cosines, else by a leaf.
        gives_loss: whether the head is meant to give a loss, even one of the shape of
            logits.
        shows_logits: whether its logits can be seen: it gives them, or hands them to
            cross-entropy, or to a softmax that explains its loss.
        size: of an embedding.
        column: whether it is given norms as (B, 1).
        why: one sentence.
    """

    call: Call
    black_box: bool
    gives_loss: bool
    shows_logits: bool
    size: int
    column: bool
    why: str


class Answer(NamedTuple):
    """What a head gave: logits, a loss, and where its logits were seen."""

    logits: torch.Tensor | None
    loss: torch.Tensor | None
    through: str


def evaluator(head: Any, manner: Manner) -> Evaluate:
    """Reads a head in a manner.

    Args:
        head: a module that takes embeddings.
        manner: how.

    Returns:
        A function from cosines to logits, loss or both.
    """
    known: list[str] = []

    def evaluate(batch: Batch) -> Evaluation:
        found = answer(head, manner, batch)
        if found.loss is None:
            return Evaluation(found.logits)
        if not known:
            known.append(reduction_of(lambda b: _loss_of(head, manner, b), batch))
        logits = found.logits if manner.shows_logits else None
        return reduced(found.loss, logits, known[0], len(batch.labels))

    return evaluate


def answer(head: Any, manner: Manner, batch: Batch) -> Answer:
    """Run a head once.

    Args:
        head: a module that takes embeddings.
        manner: how it is read.
        batch: what it is given.

    Returns:
        What it gave.

    Raises:
        SubjectError: it raised, or gave nothing that can be read.
    """
    named = manner.call.has("norms")
    length = batch.cosine.new_ones(len(batch.labels))
    if "norms" in batch.rows and not named:
        length = batch.rows["norms"].reshape(-1)
    if manner.black_box:
        made = Embedding.apply(batch.cosine, length, manner.size)  # type: ignore[no-untyped-call]
    else:
        made = batch.cosine.new_zeros(len(length), manner.size)
        made[:, 0] = length
    values = {"embeddings": made, "labels": batch.labels, **batch.rows}
    if manner.column:
        values["norms"] = batch.rows["norms"].reshape(-1, 1)
    leaf = LeafOfCosines(batch.cosine, replace=not manner.black_box)
    with leaf:
        result = run("running the head", head, manner.call, values)
    if not leaf.replaced:
        raise SubjectError(
            "the head makes no (batch, classes) matrix product to read it by"
        )
    parts = result if isinstance(result, tuple | list) else [result]
    parts = [part for part in parts if isinstance(part, torch.Tensor)]
    shaped = [part for part in parts if part.shape == batch.cosine.shape]
    if shaped and not manner.gives_loss:
        return Answer(shaped[0], None, "result")
    rows = len(batch.labels)
    losses = [part for part in parts if part.is_floating_point()]
    losses = [part for part in losses if part.numel() in (1, rows) and part.ndim < 3]
    if not losses:
        raise SubjectError(
            "the head gives neither logits nor a loss, "
            f"but {_shown(result)} for cosines of shape {tuple(batch.cosine.shape)}"
        )
    return Answer(leaf.logits, losses[0], leaf.through)


def choose(
    head: Callable[[], Any],
    call: Call,
    rows: Mapping[str, tuple[float, ...]],
    *,
    size: int,
    gives_loss: bool,
    held: bool = False,
) -> Manner:
    """Find the manner in which a head is read rightly, by trying both.

    Args:
        head: builds the head for two classes in single precision.
        call: how it is called.
        rows: four values of each row quantity that it is given.
        size: of an embedding, if the weights do not tell.
        gives_loss: whether the head is meant to give a loss.
        held: whether norms are shaped by what holds the head's statistics.

    Returns:
        A leaf where it agrees with the black box, which is right whatever the head
        multiplies, or where the weights are not found; else the black box.

    Raises:
        SubjectError: the head raised, or cannot be read in either manner.
    """
    found = set_weights(head(), 2)
    plain = Manner(call, False, gives_loss, False, found or size, False, "")
    batch = _trial(rows)
    if call.has("norms") and not _runs(head(), replace(plain, black_box=True), batch):
        plain = replace(plain, column=not held)
        column = batch.rows["norms"].reshape(-1, 1)
        batch = Batch(batch.cosine, batch.labels, {**batch.rows, "norms": column})
    boxed = replace(plain, black_box=True)
    by_leaf: Answer | SubjectError
    try:
        by_leaf = answer(_set(head(), 2), plain, batch)
    except SubjectError as error:
        by_leaf = error
    if not found:
        if isinstance(by_leaf, SubjectError):
            raise by_leaf
        why = f"{LEAF}; its weights were not found, so nothing confirms that"
        return replace(plain, why=why, shows_logits=_shows_logits(by_leaf, batch))
    by_box = answer(_set(head(), 2), boxed, batch)
    shows = _shows_logits(by_box, batch)
    if isinstance(by_leaf, SubjectError):
        reason = "makes no such product by a function known here"
    elif not _same(by_leaf, by_box):
        reason = "does more with its first product, or its weights, than take cosines"
    else:
        return replace(plain, why=LEAF, shows_logits=shows)
    why = f"{BLACK_BOX}: it {reason}"
    return replace(boxed, why=why, shows_logits=shows)


def _runs(head: Any, manner: Manner, batch: Batch) -> bool:
    """Whether a head takes its arguments in a manner."""
    try:
        answer(head, manner, batch)
    except SubjectError:
        return False
    return True


def _set(head: Any, classes: int) -> Any:
    set_weights(head, classes)
    return head


def _trial(rows: Mapping[str, tuple[float, ...]]) -> Batch:
    cosines = torch.tensor([row[::-1] if i % 2 else row for i, row in enumerate(TRIED)])
    labels = torch.arange(len(TRIED)) % 2
    return Batch(cosines, labels, {k: torch.tensor(v) for k, v in rows.items()})


def _loss_of(head: Any, manner: Manner, batch: Batch) -> torch.Tensor:
    loss = answer(head, manner, batch).loss
    if loss is None:
        raise SubjectError("the head gives a loss for some batches only")
    return loss


def _shows_logits(found: Answer, batch: Batch) -> bool:
    """Whether the logits are seen; those given to a softmax must explain the loss."""
    if found.logits is None:
        return False
    if found.loss is None or found.through == "cross_entropy":
        return True
    with torch.no_grad():
        each = CROSS_ENTROPY(found.logits.double(), batch.labels, reduction="none")
        loss = found.loss.double().reshape(-1)
        if loss.numel() == each.numel():
            return bool(torch.allclose(loss, each, SAME, SAME))
        wanted = torch.stack([each.mean(), each.sum()])
        return bool(torch.isclose(loss, wanted, SAME, SAME).any())


def _same(first: Answer, second: Answer) -> bool:
    """Whether two readings of a head are one."""
    pairs = [(first.logits, second.logits), (first.loss, second.loss)]
    for one, other in pairs:
        if (one is None) != (other is None):
            return False
        if one is None or other is None:
            continue
        if one.shape != other.shape:
            return False
        gap = (one - other).abs().max()
        if not gap <= SAME * (1 + other.abs().max()):
            return False
    return True


def _shown(result: object) -> str:
    shape = getattr(result, "shape", None)
    return type(result).__name__ if shape is None else f"shape {tuple(shape)}"
