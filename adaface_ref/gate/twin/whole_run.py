"""Runs a head as training does: random embeddings, its own weights, one backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.reading.argument_meanings import Call, run
from adaface_ref.gate.reading.class_weights import Layout
from adaface_ref.gate.reading.forms import Form, with_regulariser
from adaface_ref.gate.reading.reading import CROSS_ENTROPY, TORCH_DTYPES, Batch
from adaface_ref.gate.reading.results import Found
from adaface_ref.gate.twin.whole_head import Given
from adaface_ref.numpy_reference.arguments import Array


@dataclass(frozen=True)
class Whole:
    """A head that makes its own cosines, built for one number of classes.

    Args:
        head: the module.
        call: how its forward is called.
        layout: where its class weights are.
        classes: how many it was built for.
        dtype: the dtype that it is built and called in.
        device: a torch device.
        form: how it takes labels, and what it gives.
        prepare: puts its statistics where they are held, before every call.
    """

    head: Any
    call: Call
    layout: Layout
    classes: int
    dtype: str
    device: str
    form: Form
    prepare: Callable[[], None]

    def given(self, drawn: Given) -> dict[str, torch.Tensor]:
        """What the head's forward is given, as tensors by meaning.

        Args:
            drawn: what the twin is given.

        Returns:
            Leaves that ask for their gradient, and labels.
        """
        kind = TORCH_DTYPES[self.dtype]
        made = {
            "embeddings": torch.tensor(
                drawn.embeddings, dtype=kind, device=self.device
            ).requires_grad_(),
            "labels": torch.tensor(drawn.labels, device=self.device),
        }
        if drawn.norms is not None:
            made["norms"] = torch.tensor(drawn.norms, dtype=kind, device=self.device)
        return made

    def forward(self, tensors: Mapping[str, torch.Tensor]) -> Found:
        """Call the head and find its logits and its loss.

        Raises:
            SubjectError: the head raised, or gave neither.
        """
        self.prepare()
        values = {**tensors, "labels": self._labels(tensors)}
        result = run("running the head", self.head, self.call, values)
        rows = len(tensors["labels"])
        found = self.form.parts(result, rows, self.classes)
        if found.logits is None and found.loss is None:
            raise SubjectError("the head gives neither logits nor a loss")
        if self.form.regulariser:
            loss = with_regulariser(found, tensors["labels"])
            return found._replace(loss=loss)
        if self.form.through_softmax and found.loss is None:
            assert found.logits is not None
            loss = CROSS_ENTROPY(found.logits, tensors["labels"])
            text = "value = torch.nn.functional.cross_entropy(value, labels)"
            return found._replace(loss=loss, judged=f"{found.judged}; {text}")
        return found

    def _labels(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        rows = len(tensors["labels"])
        like = tensors["embeddings"].new_zeros(rows, self.classes)
        return self.form.labels(Batch(like, tensors["labels"]))

    def gradients(
        self, value: torch.Tensor, upstream: Array, tensors: Mapping[str, torch.Tensor]
    ) -> tuple[Array, Array]:
        """One vector-Jacobian product: by embeddings (B, D) and weights (K, C, D).

        Args:
            value: logits or losses.
            upstream: the gradient that comes to them, of their shape.
            tensors: what they were made of.

        Returns:
            Zeros where nothing comes back.

        Raises:
            SubjectError: the backward raised.
        """
        weights = self.layout.tensors(self.head)
        leaves = [tensors["embeddings"], *weights]
        above = torch.tensor(upstream, dtype=value.dtype, device=value.device)
        if not value.requires_grad:
            found = [torch.zeros_like(leaf) for leaf in leaves]
        else:
            with calling(backward=True):
                back = torch.autograd.grad(
                    value, leaves, above.reshape(value.shape), allow_unused=True
                )
            found = [
                torch.zeros_like(leaf) if part is None else part
                for leaf, part in zip(leaves, back, strict=True)
            ]
        embeddings = found[0].detach().to("cpu", torch.float64).numpy()
        size = embeddings.shape[1]
        parts = [part.detach() for part in found[1:]]
        return embeddings, self.layout.arranged(parts, self.classes, size)

    def parameters(self) -> dict[str, Array]:
        """The class weights as the head keeps them, by name."""
        parts = self.layout.tensors(self.head)
        return {
            name: np.array(part.detach().to("cpu", torch.float64).numpy())
            for name, part in zip(self.layout.names, parts, strict=True)
        }

    def step(self, gradient: Array, rate: float) -> None:
        """Move the class weights along a gradient, as an optimiser does.

        Args:
            gradient: (K, C, D).
            rate: how far.
        """
        size = gradient.shape[-1]
        weights = self.layout.read(self.head, self.classes, size)
        self.layout.write(self.head, weights - rate * gradient)
