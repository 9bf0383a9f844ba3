"""A port that is asked about one loss under one profile."""

from __future__ import annotations

from dataclasses import dataclass

from adaface_ref.evidence.truth.agreement import Allowance, Question
from adaface_ref.ports.comparison.questions import Cell, Columns
from adaface_ref.ports.pipe.bits import Floats
from adaface_ref.ports.pipe.port import Port, values_of
from adaface_ref.ports.pipe.protocol import Request


@dataclass(frozen=True)
class Asker:
    """A port, asked about one cell.

    Args:
        port: where the questions go.
        cell: loss and profile.
        quantities: that are asked.
        dtypes: in which.
        seed: draws the points.
        points: for each quantity, over all dtypes.
        allowance: by whose tolerance values are judged.
    """

    port: Port
    cell: Cell
    quantities: tuple[str, ...]
    dtypes: tuple[str, ...]
    seed: int
    points: int
    allowance: Allowance = "theirs"

    def request(
        self, columns: Columns, dtype: str, quantities: tuple[str, ...] = ()
    ) -> Request:
        """A question about some points; about all quantities where none is named."""
        return Request(*self.cell, dtype, quantities or self.quantities, columns)

    def bits(self, columns: Columns, dtype: str) -> dict[str, str]:
        """The port's answer about all quantities, as it came."""
        return self.port.bits(self.request(columns, dtype))

    def values(
        self, columns: Columns, dtype: str, quantities: tuple[str, ...]
    ) -> dict[str, Floats]:
        """The port's values, widened to float64."""
        answer = self.port.bits(self.request(columns, dtype, quantities))
        return values_of(answer, dtype)

    def question(self, quantity: str, dtype: str) -> Question:
        """What the values of a quantity are judged by."""
        return Question(quantity, *self.cell, dtype, self.allowance)
