"""The messages of the line protocol, version 1, as the harness writes them.

spec/protocol holds the same as JSON Schemas; `answers` reads what comes back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from adaface_ref.evidence.truth.agreement import INPUTS, parameters_of
from adaface_ref.ports.pipe.bits import DIGITS, Floats, encode

VERSION = 1
"""Of the protocol."""

DTYPES = tuple(DIGITS)


class PortError(Exception):
    """The port could not be asked, or did not answer as the protocol says."""


class MalformedError(PortError):
    """A line that is no answer: not JSON, not the message that is due, wrong fields."""


class RefusedError(PortError):
    """The port answers that it cannot answer this one; the message is the port's."""


class Hello(NamedTuple):
    """What a port announces.

    Args:
        name, language, version: of the port.
        losses: for each loss, its profiles as the port writes them.
        dtypes: in which it answers.
        quantities: that it has.
    """

    name: str
    language: str
    version: str
    losses: Mapping[str, tuple[str, ...]]
    dtypes: tuple[str, ...]
    quantities: tuple[str, ...]


class Request(NamedTuple):
    """One question.

    Args:
        loss, profile: the cell, as the port announced it.
        dtype: of the points and of the values.
        quantities: keys of INPUTS.
        columns: arrays (N,) by name: the cosines, and all the loss's parameters.
    """

    loss: str
    profile: str
    dtype: str
    quantities: tuple[str, ...]
    columns: Mapping[str, Floats]

    @property
    def size(self) -> int:
        """Points."""
        return int(self.columns["target_cosine"].size)

    @property
    def answer_bytes(self) -> int:
        """Bytes that an answer may have: twice its values, and room for a text."""
        digits = DIGITS[self.dtype] * self.size * len(self.quantities)
        return 2 * digits + 2**16

    def line(self, number: int) -> str:
        """The request as it is sent.

        Args:
            number: its id.
        """
        columns, names = self.columns, ["target_cosine", "rival_cosine"]
        if any("other_cosine" in INPUTS[quantity] for quantity in self.quantities):
            names.append("other_cosine")
        return compact(
            {
                "type": "evaluate",
                "id": number,
                "loss": self.loss,
                "profile": self.profile,
                "dtype": self.dtype,
                "count": self.size,
                "quantities": list(self.quantities),
                "parameters": {
                    name: encode(_shortest(columns[name]), "float64")
                    for name in parameters_of(self.loss)
                },
                "points": {name: encode(columns[name], self.dtype) for name in names},
            }
        )


def _shortest(column: Floats) -> Floats:
    """One value where all are the same."""
    return column[:1] if (column == column[0]).all() else column


def compact(message: Mapping[str, Any]) -> str:
    """A message as one line without its end: ASCII, no blanks."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


HELLO = compact({"type": "hello", "protocol": VERSION})
BYE = compact({"type": "bye"})
