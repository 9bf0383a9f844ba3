"""What a head gives as it is trained, to be compared between two ways of running it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from adaface_ref.gate.reading.reading import gradient_by
from adaface_ref.gate.session.as_trained import TrainingCall

SIZE = 12

Answer = tuple[torch.Tensor, torch.Tensor]


def answer_of(case: TrainingCall, run: Callable[[], torch.Tensor]) -> Answer:
    """What the head gives, and the gradient of its sum by the cosines or embeddings."""
    value = run()
    leaf = case.given.get("embeddings", case.given.get("cosine"))
    assert leaf is not None
    return value.detach(), gradient_by(leaf, value)


def plain_tensors(case: TrainingCall) -> dict[str, torch.Tensor]:
    """The tensors that a script must make."""
    return {name: tensor.detach() for name, tensor in case.given.items()}
