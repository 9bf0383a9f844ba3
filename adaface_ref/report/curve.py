"""The head's own GST along the cosine, beside the spec's: what a picture shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adaface_ref.points import json_number


@dataclass(frozen=True)
class Curve:
    """The GST of the target along its cosine, the rest held.

    Args:
        inputs: what is held, by quantity.
        cosines: target cosines, rising.
        got: what the head gave at each.
        expected: the reference's value at each.
    """

    inputs: Mapping[str, float]
    cosines: tuple[float, ...]
    got: tuple[float, ...]
    expected: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """The curve as data; numbers that JSON lacks become strings."""
        return {
            "inputs": {name: json_number(v) for name, v in self.inputs.items()},
            "target_cosine": list(self.cosines),
            "got": [json_number(value) for value in self.got],
            "expected": [json_number(value) for value in self.expected],
        }


def curve_from(data: Mapping[str, Any]) -> Curve:
    """Read a curve back.

    Args:
        data: what `Curve.as_json` gave.

    Returns:
        The curve.
    """
    columns = (data["target_cosine"], data["got"], data["expected"])
    return Curve(
        {name: float(value) for name, value in data["inputs"].items()},
        *(tuple(map(float, column)) for column in columns),
    )
