"""Two ways to read a head that takes embeddings, and which of them is right for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.reading.argument_meanings import Call, run
from adaface_ref.gate.reading.black_box import Embedding
from adaface_ref.gate.reading.class_weights import (
    Layout,
    layouts,
    layouts_of_any_size,
)
from adaface_ref.gate.reading.forms import (
    CLASSES_TRIED,
    SAME,
    Form,
    explains,
    is_regulariser,
    trial,
    with_other_labels,
    with_regulariser,
)
from adaface_ref.gate.reading.leaf import LeafOfCosines
from adaface_ref.gate.reading.reading import (
    CROSS_ENTROPY,
    Batch,
    Evaluate,
    Evaluation,
    gradient_by,
)
from adaface_ref.gate.reading.reduction import MEAN, copy_of, reduced, reduction_of
from adaface_ref.gate.reading.results import Found, find_parts

LEAF = "read through a leaf of cosines in place of its first matrix product"
BLACK_BOX = (
    "read as a black box, by embeddings whose cosines with the weights are known"
)

CLOSE = 1e-2
"""Two gradients in single precision likewise; one is taken back from embeddings."""


@dataclass(frozen=True)
class Manner:
    """How a head is read.

    Args:
        call: how it is called.
        black_box: by embeddings of known cosines, else by a leaf.
        gives_loss: whether the head is meant to give a loss, even one of the shape of
            logits.
        form: how it takes labels, and what it gives. Its logits are seen where it gives
            them, or hands them to cross-entropy, or to a softmax that explains its
            loss.
        size: of an embedding.
        column: whether it is given norms as (B, 1).
        layout: where its class weights are, if they were found.
        why: one sentence.
    """

    call: Call
    black_box: bool
    gives_loss: bool
    form: Form
    size: int
    column: bool
    layout: Layout | None
    why: str

    def put_on_axes(self, head: Any, classes: int) -> None:
        """Make each class's weight vectors an axis, where the weights were found."""
        if self.layout is None:
            return
        # A list of vectors has as many names as classes.
        options = layouts(head, classes, self.size)
        layout = next((o for o in options if o.words == self.layout.words), self.layout)
        axes = torch.eye(classes, self.size).double().numpy()
        layout.write(head, axes[None].repeat(layout.centres, 0))


class Answer(NamedTuple):
    """What a head gave: logits, a loss, where the logits were seen, where both are."""

    logits: torch.Tensor | None
    loss: torch.Tensor | None
    through: str
    found: Found


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
        if manner.form.regulariser:
            parts = Found(found.logits, found.loss)
            loss = with_regulariser(parts, batch.labels)
            return Evaluation(found.logits, loss, MEAN)
        if not known:
            apart = copy_of(head)  # statistics must not move by this
            known.append(reduction_of(lambda b: _loss_of(apart, manner, b), batch))
        logits = found.logits if manner.form.shows_logits else None
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
    labels = manner.form.labels(batch)
    values = {"embeddings": made, "labels": labels, **batch.rows}
    if manner.column:
        values["norms"] = batch.rows["norms"].reshape(-1, 1)
    # What a head writes into its cosines must not be what it is read by.
    leaf = LeafOfCosines(batch.cosine, replace=not manner.black_box)
    with leaf:
        result = run("running the head", head, manner.call, values)
    if not leaf.replaced:
        raise SubjectError(
            "the head makes no (batch, classes) matrix product to read it by"
        )
    if manner.form.known:
        found = manner.form.parts(result, *batch.cosine.shape)
    else:
        found = find_parts(result, *batch.cosine.shape, loss=manner.gives_loss)
    if found.loss is not None:
        shown, through = leaf.logits, leaf.through
        if found.logits is not None and not manner.gives_loss:
            shown, through = found.logits, "result"
        return Answer(shown, found.loss, through, found)
    if found.logits is not None:
        return Answer(found.logits, None, "result", found)
    raise SubjectError(
        "the head gives neither logits nor a loss, "
        f"but {_shown(result)} for cosines of shape {tuple(batch.cosine.shape)}"
    )


def choose(
    build: Callable[[int], Any],
    call: Call,
    rows: Mapping[str, tuple[float, ...]],
    *,
    size: int,
    gives_loss: bool,
    held: bool = False,
) -> Manner:
    """Find the manner in which a head is read rightly, by trying both.

    Args:
        build: the head for a number of classes, in single precision.
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
    plain, batch = _that_runs(build, call, rows, size, gives_loss, held)
    classes = plain.form.classes
    boxed = replace(plain, black_box=True)

    def placed(manner: Manner) -> Any:
        head = build(classes)
        manner.put_on_axes(head, classes)
        return head

    by_leaf: Answer | SubjectError
    try:
        by_leaf = answer(placed(plain), plain, batch)
    except SubjectError as error:
        by_leaf = error
    if plain.layout is None:
        if isinstance(by_leaf, SubjectError):
            raise by_leaf
        why = f"{LEAF}; its weights were not found, so nothing confirms that"
        return _understood(replace(plain, why=why), placed, batch)
    by_box = answer(placed(boxed), boxed, batch)
    if isinstance(by_leaf, SubjectError):
        reason = "makes no such product by a function known here"
    elif not (_same(by_leaf, by_box) and _same_slopes(by_leaf, by_box, batch)):
        reason = "does more with its first product, or its weights, than take cosines"
    else:
        return _understood(replace(plain, why=LEAF), placed, batch)
    return _understood(replace(boxed, why=f"{BLACK_BOX}: it {reason}"), placed, batch)


def _that_runs(
    build: Callable[[int], Any],
    call: Call,
    rows: Mapping[str, tuple[float, ...]],
    size: int,
    gives_loss: bool,
    held: bool,
) -> tuple[Manner, Batch]:
    """The fewest classes, the form of labels and the shape of norms that run."""
    first: SubjectError | None = None
    for classes in CLASSES_TRIED:
        batch = trial(classes, rows)
        options = layouts_of_any_size(build(classes), classes, size)
        found = options[0][1] if options else size
        for one_hot in (False, True):
            form = Form(classes, one_hot)
            for column in (False, True) if call.has("norms") else (False,):
                manner = Manner(call, True, gives_loss, form, found, column, None, "")
                given = _with_columns(batch) if column else batch
                try:
                    answer(build(classes), manner, given)
                except SubjectError as error:
                    first = first or error
                    continue
                layout = _layout(build, manner, given, options)
                manner = replace(
                    manner, black_box=False, column=column and not held, layout=layout
                )
                return manner, given
    assert first is not None
    raise first


def _layout(
    build: Callable[[int], Any],
    manner: Manner,
    batch: Batch,
    options: list[tuple[Layout, int]],
) -> Layout | None:
    """The layout in which each class is nearest to its own axis."""
    if len(options) < 2:
        return options[0][0] if options else None
    # Rows that are nearest to their own class: any other order brings rivals near.
    rows = {name: row[:1] for name, row in batch.rows.items()}
    easy = Batch(batch.cosine[:1], batch.labels[:1], rows)
    worst = []
    for layout, size in options:
        tried = replace(manner, layout=layout, size=size)
        head = build(manner.form.classes)
        tried.put_on_axes(head, manner.form.classes)
        found = answer(head, tried, easy)
        loss = found.loss
        if loss is None and found.logits is not None:
            loss = CROSS_ENTROPY(found.logits, easy.labels)
        assert loss is not None
        worst.append(float(loss.detach().mean()))
    return options[worst.index(min(worst))][0]


def _with_columns(batch: Batch) -> Batch:
    column = batch.rows["norms"].reshape(-1, 1)
    return Batch(batch.cosine, batch.labels, {**batch.rows, "norms": column})


def _understood(
    manner: Manner, placed: Callable[[Manner], Any], batch: Batch
) -> Manner:
    """Whether the logits are seen, and whether what stands beside them is a loss."""
    found = answer(placed(manner), manner, batch)
    parts = Found(found.logits, found.loss)
    form = replace(
        manner.form,
        loss_at=None if found.loss is None else found.found.judged,
        logits_at=found.found.logits_at if found.through == "result" else None,
        known=True,
    )
    manner = replace(manner, form=form)
    if found.through == "result" and found.loss is not None:
        other = answer(placed(manner), manner, with_other_labels(batch))
        if is_regulariser(parts, Found(other.logits, other.loss)):
            return replace(manner, form=replace(manner.form, regulariser=True))
    shows = explains(parts, batch)
    if found.through == "cross_entropy" and found.logits is not None:
        shows = found.logits.requires_grad
    return replace(manner, form=replace(manner.form, shows_logits=shows))


def _loss_of(head: Any, manner: Manner, batch: Batch) -> torch.Tensor:
    loss = answer(head, manner, batch).loss
    if loss is None:
        raise SubjectError("the head gives a loss for some batches only")
    return loss


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


def _same_slopes(first: Answer, second: Answer, batch: Batch) -> bool:
    """Whether two readings have one gradient: a product in a Function has none."""
    found = []
    for read in (first, second):
        value = read.logits if read.loss is None else read.loss
        assert value is not None
        weights = torch.linspace(0.5, 1.5, value.numel()).reshape(value.shape)
        found.append(gradient_by(batch.cosine, value * weights))
    gap = (found[0] - found[1]).abs().max()
    return bool(gap <= CLOSE * (1 + found[1].abs().max()))


def _shown(result: object) -> str:
    shape = getattr(result, "shape", None)
    return type(result).__name__ if shape is None else f"shape {tuple(shape)}"
