"""A port that is asked: hello, requests, bye."""

from __future__ import annotations

from collections.abc import Mapping

from adaface_ref.ports.pipe.answers import read_bye, read_hello, read_values
from adaface_ref.ports.pipe.bits import Floats, decode
from adaface_ref.ports.pipe.process import Child
from adaface_ref.ports.pipe.protocol import (
    BYE,
    HELLO,
    Hello,
    PortError,
    RefusedError,
    Request,
)

HELLO_BYTES = 2**16
"""Bytes that an answer to hello may have."""


class Port:
    """A conversation with a port's process.

    Args:
        child: the process, not yet spoken to.

    Attributes:
        hello: what it announces.
        failure: what ended the conversation; from then on it is asked no more.

    Raises:
        PortError: it does not say hello as it must, or announces nothing.
    """

    def __init__(self, child: Child) -> None:
        self._child = child
        self._count = 0
        self.failure: PortError | None = None
        self.hello: Hello = read_hello(child.round_trip(HELLO, HELLO_BYTES))
        cells = any(self.hello.losses.values())
        for what, some in (
            ("loss with a profile", cells),
            ("dtype", self.hello.dtypes),
            ("quantity", self.hello.quantities),
        ):
            if not some:
                raise PortError(
                    f"announces no {what}, so that there is nothing to judge"
                )

    def bits(self, request: Request) -> dict[str, str]:
        """Its answer to a request, as it came.

        Args:
            request: a question about what it announced.

        Returns:
            A string of bits for each quantity.

        Raises:
            PortError: there is none, or none that is well-formed, now or before.
        """
        if self.failure is not None:
            raise self.failure
        self._count += 1
        line = request.line(self._count)
        try:
            answer = self._child.round_trip(line, request.answer_bytes)
            return read_values(answer, request, self._count)
        except RefusedError:
            raise
        except PortError as error:
            self.failure = error
            raise

    def bye(self) -> None:
        """Let it go.

        Raises:
            PortError: it does not go as it must.
        """
        read_bye(self._child.round_trip(BYE, HELLO_BYTES))
        self._child.leave()

    def last_lines(self) -> str:
        """The last lines of its standard error."""
        return self._child.last_lines()


def values_of(bits: Mapping[str, str], dtype: str) -> dict[str, Floats]:
    """An answer's values, widened to float64."""
    return {quantity: decode(text, dtype) for quantity, text in bits.items()}
