"""The head under judgement and what was asked of it, before anything is found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adaface_ref import numpy_reference as reference
from adaface_ref.evidence.truth.agreement import INPUTS
from adaface_ref.gate.head.door import Door, Opened, Request
from adaface_ref.gate.head.target import Target
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.spec.losses import LOSSES, Loss


@dataclass(frozen=True)
class Subject:
    """The head under judgement.

    Args:
        target: where it was found.
        request: the loss, its parameters and what the user chose.
        door: how it is built and called.
        device: a torch device.
        dtypes: the dtypes in which it is judged.
        seed: draws every point.
        points: points a value check.
    """

    target: Target
    request: Request
    door: Door
    device: str
    dtypes: tuple[str, ...]
    seed: int
    points: int

    @property
    def loss(self) -> str:
        """The loss id."""
        return self.request.loss

    @property
    def definition(self) -> Loss:
        """What the spec says of the loss."""
        return LOSSES[self.loss]

    @property
    def fixed(self) -> dict[str, float]:
        """The loss's parameters that have one value for all rows."""
        names = reference.PARAMETERS[self.loss]
        return {k: v for k, v in self.request.parameters.items() if k in names}

    def build(self, classes: int, dtype: str, device: str = "") -> Opened:
        """The head, built anew, its statistics free to move.

        Args:
            classes: how many.
            dtype: a key of DTYPES.
            device: a torch device, the subject's own if left out.

        Returns:
            The head and how to run it.
        """
        return self.door.open(classes, dtype, device or self.device)

    def predict(
        self, quantity: str, columns: Mapping[str, Array], profile: str
    ) -> Array:
        """The float64 reference's value of a quantity on columns.

        Args:
            quantity: a key of INPUTS.
            columns: its inputs and the loss's parameters, arrays (B,).
            profile: a profile string.

        Returns:
            Array (B,).
        """
        names = (*INPUTS[quantity], *reference.PARAMETERS[self.loss])
        given = {name: columns[name] for name in names}
        function = getattr(reference, quantity)
        return np.asarray(function(self.loss, profile=profile, **given))
