"""What one row of test vectors asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

COSINES = {"target_cosine": 0.0, "rival_cosine": 0.5, "other_cosine": 0.5}
"""What stands for a cosine that a quantity does not take."""


class RowQuestion(NamedTuple):
    """What a row asks.

    Args:
        loss, profile, quantity: of what.
        point: inputs by name; cosines are values of float32.
    """

    loss: str
    profile: str
    quantity: str
    point: Mapping[str, float]

    def with_all_cosines(self) -> Self:
        """The same with every cosine filled in."""
        return self._replace(point={**COSINES, **self.point})
