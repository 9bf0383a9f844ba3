"""Runs a head as training does: random embeddings, its own weights, one backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.reading.argument_meanings import Call, run
from adaface_ref.gate.reading.class_weights import Layout
from adaface_ref.gate.reading.forms import Form, with_regulariser
from adaface_ref.gate.reading.reading import CROSS_ENTROPY, TORCH_DTYPES, Batch
from adaface_ref.gate.reading.results import Found
from adaface_ref.gate.twin.whole_head import Given
from adaface_ref.numpy_reference.arguments import Array


class Back(NamedTuple):
    """What comes back from a value.

    Args:
        embeddings: the gradient by them, (B, D).
        weights: by the class vectors, (K, C, D).
        besides: by what else the head trains, by name.
    """

    embeddings: Array
    weights: Array
    besides: Mapping[str, torch.Tensor]


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

    @property
    def besides(self) -> dict[str, torch.nn.Parameter]:
        """What the head trains besides its class weights, single numbers apart."""
        return {
            name: part
            for name, part in self.head.named_parameters()
            if name not in self.layout.names and part.requires_grad and part.numel() > 1
        }

    def gradients(
        self, value: torch.Tensor, upstream: Array, tensors: Mapping[str, torch.Tensor]
    ) -> Back:
        """One vector-Jacobian product.

        Args:
            value: logits or losses.
            upstream: the gradient that comes to them, of their shape.
            tensors: what they were made of.

        Returns:
            Zeros where nothing comes back.

        Raises:
            SubjectError: the backward raised.
        """
        besides = self.besides
        weights = self.layout.tensors(self.head)
        leaves = [tensors["embeddings"], *weights, *besides.values()]
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
        size, count = embeddings.shape[1], 1 + len(weights)
        parts = [part.detach() for part in found[1:count]]
        return Back(
            embeddings,
            self.layout.arranged(parts, self.classes, size),
            dict(zip(besides, found[count:], strict=True)),
        )

    def parameters(self) -> dict[str, Array]:
        """The class weights and what is trained besides, as they are kept, by name."""
        names = {*self.layout.names, *self.besides}
        return {
            name: np.array(part.detach().to("cpu", torch.float64).numpy())
            for name, part in self.head.named_parameters()
            if name in names
        }

    def step(
        self, back: Back, labels: NDArray[np.int64], length: float, rate: float
    ) -> list[str]:
        """Move what the head trains along its gradients, as an optimiser does.

        A parameter with a number for each class may be the classes' margins: it is left
        alone where only the rows' own classes have a gradient.

        Args:
            back: the gradients, of which the weights' is not 0.
            labels: (B,).
            length: of the class weights.
            rate: how far, as a share of their length.

        Returns:
            The names of what was moved besides the class weights.
        """
        size = back.weights.shape[-1]
        weights = self.layout.read(self.head, self.classes, size)
        moved = back.weights * (rate * length / np.linalg.norm(back.weights))
        self.layout.write(self.head, weights - moved)
        names = []
        for name, gradient in back.besides.items():
            felt = gradient.clone()
            if felt.numel() == self.classes:
                felt.view(-1)[torch.as_tensor(labels, device=felt.device)] = 0
            if felt.any():
                with torch.no_grad():
                    self.besides[name].sub_(rate * gradient / gradient.norm())
                names.append(name)
        return names
