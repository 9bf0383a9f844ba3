"""A head behind one door, and what adapters share to open it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

from adaface_ref.gate.guarding.errors import TargetError
from adaface_ref.gate.guarding.guard import calling, seeded
from adaface_ref.gate.head.target import Target
from adaface_ref.gate.reading.argument_meanings import (
    BUILDING,
    CONSTRUCTOR,
    MEANT,
    SYNONYMS,
    Call,
    bind,
    parameters_of,
    run,
)
from adaface_ref.gate.reading.forms import PLAINEST, Form
from adaface_ref.gate.reading.reading import (
    CROSS_ENTROPY,
    TORCH_DTYPES,
    Batch,
    Evaluate,
    Evaluation,
)
from adaface_ref.gate.reading.reduction import MEAN

EMBEDDING_SIZE = 8
"""Any size other than the numbers of classes that are tried will do."""

PER_ROW = ("norms", "margin_scaler")
"""What a head may be given for each row, besides cosines and labels."""

PLAIN = {"multiplier": 1.0, "angular_offset": 0.0, "additive_offset": 0.0}
"""A combined margin's arguments in a loss that has no such margin."""

FROM_THE_BATCH = ("curriculum", "feature_norm", "margin_scaler")
"""Parameters that follow from the batch, which no constructor takes by ** ."""

GIVEN = {name: name for name in ("cosine", "labels", *PER_ROW)}
"""The names that a snippet has for what a forward is given."""


ONE_HOT = "torch.nn.functional.one_hot(labels, cosine.shape[1]).to(cosine.dtype)"
"""Labels as rows of 0 and 1, as source text."""


@dataclass(frozen=True)
class Request:
    """What is judged.

    Args:
        loss: a loss id.
        profile: the pinned profile, or "" to let the head choose.
        parameters: the judged value of each scalar parameter.
        chosen: parameters whose value is the user's own.
        given: the user's further arguments, passed to the head as they are.
    """

    loss: str
    profile: str
    parameters: Mapping[str, float]
    chosen: frozenset[str]
    given: Mapping[str, object]


class Opened(NamedTuple):
    """A head for one number of classes and one dtype.

    Args:
        evaluate: runs it.
        head: itself.
    """

    evaluate: Evaluate
    head: object


class WholeHead(NamedTuple):
    """A head that makes its own cosines, with the weights that it was built with.

    Args:
        build: makes it, for classes, the size of an embedding, dtype and device.
        making: the source text that makes it, for classes, size and dtype.
        call: how its forward is called.
        column: whether it is given norms as (B, 1).
        form: how it takes labels, and what it gives.
    """

    build: Callable[[int, int, str, str], Any]
    making: Callable[[int, int, str], str]
    call: Call
    column: bool
    form: Form


@dataclass(frozen=True)
class Door:
    """A head, opened for judging.

    Args:
        adapter: the adapter's name.
        how: one sentence on how the head is read.
        mapping: how its arguments were given, for the report.
        used: which of the user's own arguments it was given.
        takes: which of PER_ROW it is given.
        owns_cosines: whether the cosines are the head's own, so that it may edit them.
        open: builds the head for a number of classes, a dtype and a device.
        source: the lines of a snippet from `cosine` and `labels` to `logits`.
        black_box: whether the head is read through embeddings of known cosines.
        form: how it takes labels, and what it gives.
        whole: the head with its own weights, where it makes its own cosines.
        mapped: what arguments of the head mean, by any name.
    """

    adapter: str
    how: str
    mapping: tuple[str, ...]
    used: frozenset[str]
    takes: frozenset[str]
    owns_cosines: bool
    open: Callable[[int, str, str], Opened]
    source: Callable[[int, str], tuple[str, ...]]
    black_box: bool = False
    form: Form = PLAINEST
    whole: WholeHead | None = None
    mapped: frozenset[str] = frozenset()

    @property
    def shows_logits(self) -> bool:
        """Whether its logits can be seen, and not its loss alone."""
        return self.form.shows_logits


def through_softmax(door: Door) -> Door:
    """The same head, its logits taken up to a number for each row.

    Args:
        door: a head whose logits are seen.

    Returns:
        A door that shows the loss alone: the head's own, or its logits' cross-entropy.
    """

    def open_(classes: int, dtype: str, device: str) -> Opened:
        opened = door.open(classes, dtype, device)

        def evaluate(batch: Batch) -> Evaluation:
            found = opened.evaluate(batch)
            if found.loss is not None:
                return replace(found, logits=None)
            loss = CROSS_ENTROPY(found.shown, batch.labels, ignore_index=-1)
            return Evaluation(None, loss, MEAN)

        return opened._replace(evaluate=evaluate)

    def source(classes: int, dtype: str) -> tuple[str, ...]:
        lines = door.source(classes, dtype)
        if not any(line.startswith("result = ") for line in lines):
            loss = "cross_entropy(logits, labels, ignore_index=-1)"
            lines = (*lines, f"result = torch.nn.functional.{loss}")
        return (*lines, "logits = None")

    whole = door.whole
    if whole is not None:
        form = replace(whole.form, through_softmax=True)
        whole = whole._replace(form=form)
    return replace(
        door,
        open=open_,
        source=source,
        how=f"{door.how}; its logits are the loss's up to a number for each row",
        form=replace(door.form, shows_logits=False, through_softmax=True),
        whole=whole,
    )


def values_of(
    request: Request,
    classes: int,
    dtype: str,
    device: str,
    size: int = EMBEDDING_SIZE,
) -> dict[str, Any]:
    """What arguments may be given, by meaning."""
    values: dict[str, Any] = dict(PLAIN)
    values |= {**request.parameters, "loss": request.loss}
    for (loss, meaning), name in SYNONYMS.items():
        if loss == request.loss:
            values[meaning] = request.parameters[name]
    if "scale" in values:
        values["temperature"] = 1 / values["scale"]
    values["easy_margin"] = request.profile.startswith("easy")
    values |= {"classes": classes, "embedding_size": size}
    values |= {"dtype": TORCH_DTYPES[dtype], "device": device}
    return values | ({"profile": request.profile} if request.profile else {})


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """The same as source text."""
    return {
        name: str(value) if isinstance(value, torch.dtype) else repr(value)
        for name, value in values.items()
    }


def mapping_of(call: Call, texts: Mapping[str, str]) -> tuple[str, ...]:
    """How a call's arguments were given, from source texts, for the report."""
    rows = [f"{n}={texts[m]}" for n, m in call.meanings.items() if m in texts]
    for name, (_, inner) in call.settings.items():
        rows += [f"{name}.{row}" for row in mapping_of(inner, texts)]
    return (*rows, *(f"{name}={value!r}" for name, value in call.extra.items()))


def require_meanings(call: Call, meanings: tuple[str, ...], target: Target) -> None:
    """Refuse a target that lacks an argument of a meaning."""
    for meaning in meanings:
        if not call.has(meaning):
            raise TargetError(
                f"target={target.name}, but must take an argument for its {meaning}, "
                "or be given another --adapter [gate]"
            )


def constructor_call(subject: Any, request: Request) -> Call:
    """How to call a constructor or a factory."""
    keywords = {n: MEANT.get(n, n) for n in request.chosen if n not in FROM_THE_BATCH}
    return bind(parameters_of(subject), CONSTRUCTOR, request.given, keywords=keywords)


def built(subject: Any, make: Call, values: Mapping[str, Any]) -> Any:
    """Build a head, with the same weights every time."""
    with seeded():
        head = run(BUILDING, subject, make, values)
    if isinstance(head, torch.nn.Module):
        with calling(BUILDING):
            _fill_lazy(head, values)
            head = head.to(device=values["device"], dtype=values["dtype"])
    return head


def _fill_lazy(head: torch.nn.Module, values: Mapping[str, Any]) -> None:
    """Call a head whose parameters are made at the first call."""
    if any(torch.nn.parameter.is_lazy(parameter) for parameter in head.parameters()):
        with torch.no_grad():
            head(torch.randn(2, values["embedding_size"]), torch.tensor([0, 1]))


def one_hot(form: Form) -> dict[str, str]:
    """The source text of labels for a head that takes them as rows of 0 and 1."""
    return {"labels": ONE_HOT} if form.one_hot else {}
