"""What a head of cosines takes for labels and gives back, found by trying it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.reading.argument_meanings import Call, run
from adaface_ref.gate.reading.reading import (
    CROSS_ENTROPY,
    Batch,
    Evaluate,
    Evaluation,
)
from adaface_ref.gate.reading.reduction import MEAN, copy_of, reduced, reduction_of
from adaface_ref.gate.reading.results import Found, find_parts, parts_of

CLASSES_TRIED = (2, 3, 5, 6, 11, 129)
"""Numbers of classes at which a head is tried until one runs: a head that takes the
five nearest classes wants six."""

SAME = 1e-3
"""Two readings in single precision are one where they differ by less, relatively; one
that is wrong differs by a good part of the scale."""

TRIED = ((0.6, -0.3), (-0.4, 0.5), (0.2, 0.7), (-0.8, -0.1))
"""Cosines, target first, at which a reading is tried."""


@dataclass(frozen=True)
class Form:
    """How a head is given its labels, and what its result means.

    Args:
        classes: the fewest that it runs with, of those tried.
        one_hot: whether labels are rows of 0 and 1.
        shows_logits: whether its logits are seen, and explain its loss if it has one.
        through_softmax: whether its logits count up to a number for each row, which
            means nothing to a softmax.
        regulariser: whether the scalar beside its logits is no loss, since it does not
            depend on the labels.
        loss_at: source text from its result to its loss, or None where it has none.
        logits_at: the same for its logits, or None where they are seen on the way.
        known: whether the two are known.
    """

    classes: int = 2
    one_hot: bool = False
    shows_logits: bool = True
    through_softmax: bool = False
    regulariser: bool = False
    loss_at: str | None = None
    logits_at: str | None = ""

    known: bool = False

    def parts(self, result: object, rows: int, classes: int) -> Found:
        """A result's logits and loss: where they were found before, once it is known.

        Args:
            result: what a head returned.
            rows: B.
            classes: C.
        """
        if not self.known:
            return find_parts(result, rows, classes)
        parts = parts_of(result)
        logits = None if self.logits_at is None else parts.get(self.logits_at)
        loss = None if self.loss_at is None else parts.get(self.loss_at)
        if logits is loss:
            logits = None
        return Found(logits, loss, self.loss_at or self.logits_at or "")

    def labels(self, batch: Batch) -> torch.Tensor:
        """The labels as the head takes them."""
        if not self.one_hot:
            return batch.labels
        # A row to be ignored has no class.
        classes = batch.cosine.shape[1]
        hot = torch.nn.functional.one_hot(batch.labels.clamp(min=0).long(), classes)
        return (hot * (batch.labels >= 0)[:, None]).to(batch.cosine.dtype)


PLAINEST = Form()
"""Labels as numbers, two classes and logits."""


def find_form(
    build: Callable[[int], Any],
    call: Call,
    constants: Callable[[int], Mapping[str, Any]],
    rows: Mapping[str, tuple[float, ...]],
) -> Form:
    """Try a head of cosines until it runs.

    Args:
        build: the head for a number of classes, in single precision.
        call: how it is called.
        constants: what it is given besides tensors, for a number of classes.
        rows: four values of each row quantity that it is given.

    Returns:
        The form in which it runs; the plainest where none does, so that what it raises
        is told where it is judged.
    """
    for classes in CLASSES_TRIED:
        for one_hot in (False, True):
            form = Form(classes, one_hot)
            try:
                batch = trial(classes, rows)
                head = build(classes)
                found = result_of(head, call, constants(classes), form, batch)
            except SubjectError:
                continue
            return _understood(head, call, constants(classes), form, batch, found)
    return PLAINEST


def trial(classes: int, rows: Mapping[str, tuple[float, ...]]) -> Batch:
    """Four rows in single precision.

    Args:
        classes: how many.
        rows: four values of each row quantity.

    Returns:
        The batch, its cosines a leaf that asks for its gradient.
    """
    table = torch.full((len(TRIED), classes), -0.05)
    labels = torch.arange(len(TRIED)) % min(classes, 2)
    for row, (target, other) in enumerate(TRIED):
        table[row, labels[row]] = target
        table[row, (labels[row] + 1) % 2] = other
    given = {name: torch.tensor(values) for name, values in rows.items()}
    return Batch(table.requires_grad_(), labels, given)


def result_of(
    head: Any, call: Call, constants: Mapping[str, Any], form: Form, batch: Batch
) -> Found:
    """Run a head of cosines once.

    Raises:
        SubjectError: it raised, or gave neither logits nor a loss.
    """
    cosine = batch.cosine
    if cosine.is_leaf and cosine.requires_grad:
        cosine = cosine.clone()  # which a head may write into
    values = {"cosine": cosine, "labels": form.labels(batch), **batch.rows}
    result = run("running the head", head, call, {**constants, **values})
    found = form.parts(result, *batch.cosine.shape)
    if found.logits is None and found.loss is None:
        return Found(result, None)  # to be told for what it is
    return found


def form_evaluator(
    head: Any, call: Call, constants: Mapping[str, Any], form: Form
) -> Evaluate:
    """Reads a head of cosines.

    Args:
        head: a callable.
        call: how it is called.
        constants: what it is given besides tensors.
        form: what it takes and gives.

    Returns:
        A function from cosines to logits, loss or both.
    """
    known: list[str] = []

    def evaluate(batch: Batch) -> Evaluation:
        found = result_of(head, call, constants, form, batch)
        if found.loss is None:
            return Evaluation(found.logits)
        if form.regulariser:
            loss = with_regulariser(found, batch.labels)
            return Evaluation(found.logits, loss, MEAN)
        if not known:
            apart = copy_of(head)  # statistics must not move by this
            known.append(
                reduction_of(
                    lambda b: _loss(result_of(apart, call, constants, form, b)), batch
                )
            )
        logits = found.logits if form.shows_logits else None
        return reduced(found.loss, logits, known[0], len(batch.labels))

    return evaluate


def reading(form: Form, call: str, inside: str = "") -> list[str]:
    """Lines of a snippet from a head's call to `logits`, and to `result` for a loss.

    Args:
        form: what it gives.
        call: the call.
        inside: what the call stands in.
    """
    lines = [f"{inside}given = {call}"]
    logits = f"given{form.logits_at}" if form.logits_at is not None else "reader.logits"
    lines.append(f"logits = {logits if form.shows_logits else None}")
    if form.loss_at is None:
        return lines
    loss = f"given{form.loss_at}"
    if form.regulariser:
        loss = f"torch.nn.functional.cross_entropy(logits, labels) + {loss}.mean()"
    return [*lines, f"result = {loss}"]


def with_regulariser(found: Found, labels: torch.Tensor) -> torch.Tensor:
    """The mean loss that logits and a regulariser beside them make."""
    assert found.logits is not None and found.loss is not None
    return CROSS_ENTROPY(found.logits, labels) + found.loss.mean()


def explains(found: Found, batch: Batch) -> bool:
    """Whether a head's loss is the cross-entropy of the logits beside it.

    Logits that have no gradient although the loss has one explain none of it.
    """
    if found.logits is None:
        return False
    if found.loss is None:
        return True
    if found.loss.requires_grad and not found.logits.requires_grad:
        return False
    with torch.no_grad():
        each = CROSS_ENTROPY(found.logits.double(), batch.labels, reduction="none")
        loss = found.loss.double().reshape(-1)
        if loss.numel() == each.numel():
            return bool(torch.allclose(loss, each, SAME, SAME))
        wanted = torch.stack([each.mean(), each.sum()])
        return bool(torch.isclose(loss, wanted, SAME, SAME).any())


def is_regulariser(before: Found, after: Found) -> bool:
    """Whether a scalar beside logits is the same whatever the labels are.

    Args:
        before: what a head gave.
        after: what it gave for the same rows with other labels.
    """
    if before.logits is None or before.loss is None or after.loss is None:
        return False
    return bool(torch.equal(before.loss.detach(), after.loss.detach()))


def with_other_labels(batch: Batch) -> Batch:
    """The same rows, every label another one of the first two."""
    return replace(batch, labels=1 - batch.labels)


def _understood(
    head: Any,
    call: Call,
    constants: Mapping[str, Any],
    form: Form,
    batch: Batch,
    found: Found,
) -> Form:
    logits_at = None if found.logits is None else found.logits_at
    form = replace(form, logits_at=logits_at, known=True)
    if found.loss is None:
        return form
    form = replace(form, loss_at=found.judged)
    other = result_of(head, call, constants, form, with_other_labels(batch))
    if is_regulariser(found, other):
        return replace(form, regulariser=True)
    return replace(form, shows_logits=explains(found, batch))


def _loss(found: Found) -> torch.Tensor:
    if found.loss is None:
        raise SubjectError("the head gives a loss for some batches only")
    return found.loss
