"""Calls a head as training does: on embeddings, or on cosines, with nothing between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.adapters import ROW_NAMES
from adaface_ref.gate.head.door import EMBEDDING_SIZE, texts_of, values_of
from adaface_ref.gate.reading.argument_meanings import (
    BY_PLACE,
    CONSTRUCTOR,
    FORWARD,
    OF_COSINES,
    Call,
    bind,
    parameters_of,
    run,
)
from adaface_ref.gate.reading.reading import TORCH_DTYPES, Batch
from adaface_ref.gate.reading.results import find_parts, parts_of
from adaface_ref.gate.session.fresh_head import FreshHead, ordinary
from adaface_ref.gate.session.session import Session

EMBEDDED = {name: row for name, row in FORWARD.items() if name != "cosine"}
"""What the arguments of a head that makes its own cosines mean."""


@dataclass(frozen=True)
class TrainingCall:
    """A head and what it is given.

    Args:
        fresh: the head's.
        call: how it is called.
        given: tensors by meaning: embeddings or cosine, labels, and rows' quantities.
    """

    fresh: FreshHead
    call: Call
    given: Mapping[str, torch.Tensor]

    def run(self, head: Any = None, **other: torch.Tensor) -> torch.Tensor:
        """Logits, or a loss; with other tensors in place of some.

        Args:
            head: another form of the head.
            other: tensors by meaning.

        Returns:
            The loss that the head gives, else its logits.

        Raises:
            SubjectError: the head raised.
        """
        subject: Any = self.fresh.opened.head if head is None else head
        values = {**self._constants, **self.given, **other}
        door = self.fresh.session.door
        if door.form.one_hot:
            batch = Batch(self._like, values["labels"])
            values["labels"] = door.form.labels(batch)
        result = run("running the head", subject, self.call, values)
        rows = len(self.given["labels"])
        if door.form.known:
            found = door.form.parts(result, rows, self.fresh.classes)
            value = found.logits if found.loss is None else found.loss
            if value is not None:
                return value
        return judged_part(result, rows, self.fresh.classes)

    @property
    def _like(self) -> torch.Tensor:
        """A table (B, C) of the head's dtype."""
        rows = len(self.given["labels"])
        name = "embeddings" if "embeddings" in self.given else "cosine"
        return self.given[name].new_zeros(rows, self.fresh.classes)

    @property
    def source(self) -> str:
        """The call as source text."""
        texts = texts_of(self._constants) | {name: name for name in self.given}
        if self.fresh.session.door.form.one_hot:
            classes, kind = self.fresh.classes, self.fresh.dtype
            hot = f"torch.nn.functional.one_hot(labels, {classes})"
            texts["labels"] = f"{hot}.to(torch.{kind})"
        return self.call.source("head", texts)

    @property
    def _constants(self) -> dict[str, Any]:
        fresh = self.fresh
        request, device = fresh.session.request, fresh.device
        return values_of(request, fresh.classes, fresh.dtype, device)


def training_call(fresh: FreshHead, size: int) -> TrainingCall:
    """A head with a batch of ordinary rows, embeddings where it takes them.

    Args:
        fresh: the head's.
        size: how many rows.

    Returns:
        The head and the batch. Embeddings are of unit length where the norms are an
        argument of their own, or where the loss has no use for them.
    """
    session = fresh.session
    rows = ordinary(fresh, size)
    batch = fresh.batch(rows)
    call = _call(session, fresh.opened.head)
    given = {"labels": batch.labels, **batch.rows}
    if not session.door.owns_cosines:
        given["cosine"] = batch.cosine
        return TrainingCall(fresh, call, given)
    random = np.random.default_rng([session.seed, size])
    # Multiples of 1/64, so that they are the same in every dtype.
    drawn = random.integers(-64, 65, (size, EMBEDDING_SIZE)) / 64.0
    length = np.linalg.norm(drawn, axis=1, keepdims=True)
    level = np.ones((size, 1))
    if "norms" in rows.given and not call.has("norms"):
        level = rows.given["norms"][:, None]
        del given["norms"]
    if session.column and "norms" in given:
        given["norms"] = given["norms"][:, None]
    kind = TORCH_DTYPES[fresh.dtype]
    given["embeddings"] = torch.tensor(
        drawn / length * level, dtype=kind, device=fresh.device
    ).requires_grad_()
    return TrainingCall(fresh, call, given)


def judged_part(result: Any, rows: int, classes: int) -> torch.Tensor:
    """The loss of a head's result, else its logits, else its first tensor."""
    found = find_parts(result, rows, classes)
    if found.loss is not None:
        return found.loss
    if found.logits is not None:
        return found.logits
    parts = list(parts_of(result).values())
    if not parts:
        raise SubjectError(f"the head gives no tensor, but {type(result).__name__}")
    return parts[0]


def _call(session: Session, head: Any) -> Call:
    parameters = parameters_of(head)
    if session.door.owns_cosines:
        places = ("embeddings", "labels", "norms")
        return bind(parameters, EMBEDDED, {}, places=places)
    if session.door.adapter != "callable":
        return bind(parameters, OF_COSINES, {}, places=BY_PLACE)
    request = session.request
    keywords = {name: name for name in request.chosen}
    if any(p.name in CONSTRUCTOR["loss"] for p in parameters):
        names = reference.PARAMETERS[request.loss]
        keywords = {name: ROW_NAMES.get(name, name) for name in names}
    table = CONSTRUCTOR | OF_COSINES
    return bind(parameters, table, request.given, places=BY_PLACE, keywords=keywords)
