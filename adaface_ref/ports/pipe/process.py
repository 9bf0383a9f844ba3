"""The port's process: lines to it and from it, each within a time; never a hang."""

from __future__ import annotations

import os
import secrets
import selectors
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Self

from adaface_ref.ports.pipe.protocol import MalformedError, PortError
from adaface_ref.processes import MARK, end_all, ending

CHUNK = 2**16
LINES, WIDTH = 5, 200
"""What is kept of standard error: so many of its last lines, and of each so much."""

GRACE = 1.0
"""Seconds in which a process that closed its output must end."""


class Child:
    """A process of its own session, with which lines are exchanged.

    Args:
        command: program and arguments.
        limit: seconds for one line out and one line in.

    Raises:
        PortError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], limit: float) -> None:
        self.limit = limit
        self._mark = secrets.token_hex(8)
        self._errors = b""
        self._got = bytearray()
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                [*command],
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                start_new_session=True,
                env={**os.environ, MARK: self._mark},
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise PortError(f"could not be started: {command[0]}: {why}") from None
        self._selector = selectors.DefaultSelector()
        self._input, self._output, self._log = (
            _never_blocking(stream)
            for stream in (
                self._process.stdin,
                self._process.stdout,
                self._process.stderr,
            )
        )
        for stream in (self._output, self._log):
            self._selector.register(stream, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def round_trip(self, line: str, most: int) -> bytes:
        """Send a line, and wait for one.

        Args:
            line: without its end.
            most: bytes that the answer may have.

        Returns:
            The answer, without its end.

        Raises:
            PortError: no answer in time, or none to come.
            MalformedError: a line that was not asked for, or that does not end.
        """
        if self._got:
            raise MalformedError(f"spoke before it was asked: {_excerpt(self._got)}")
        until = time.monotonic() + self.limit
        self._send(line.encode() + b"\n", until, most)
        while (end := self._got.find(b"\n")) < 0:
            if len(self._got) > most:
                raise _endless(most)
            self._take(until)
        answer = bytes(self._got[:end])
        del self._got[: end + 1]
        if len(answer) > most:
            raise _endless(most)
        return answer

    def leave(self) -> None:
        """Wait until it has left by itself, as it must after bye.

        Raises:
            PortError: it stays, says more, or leaves with another code than 0.
        """
        self._unwatch(self._input)
        until = time.monotonic() + self.limit
        while self._output in self._streams() and not self._got:
            self._take(until, still="did not leave after bye", ended=False)
        if self._got:
            raise MalformedError(f"spoke after bye: {_excerpt(self._got)}")
        try:
            code = self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise PortError(
                f"did not leave after bye within {self.limit:g} s"
            ) from None
        if code:
            raise PortError(f"ended {ending(code)} after bye, but must with 0")

    def end(self) -> None:
        """End it, and all that it started."""
        end_all(self._process, self._mark)
        for stream in (self._input, self._output, self._log):
            self._unwatch(stream)
        self._selector.close()

    def last_lines(self) -> str:
        """The last lines of its standard error, without control characters."""
        lines = self._errors.decode(errors="replace").splitlines()[-LINES:]
        return "\n".join(
            "".join(c if c.isprintable() else "?" for c in line[:WIDTH])
            for line in lines
        )

    def _send(self, data: bytes, until: float, most: int) -> None:
        """Write while reading, so that neither side waits for the other's pipe."""
        left = memoryview(data)
        if self._input not in self._streams():
            self._selector.register(self._input, selectors.EVENT_WRITE)
        while left:
            if len(self._got) > most:
                raise MalformedError(
                    f"spoke before it was asked: {_excerpt(self._got)}"
                )
            ready = self._take(until)
            if self._input in ready:
                try:
                    left = left[os.write(self._input.fileno(), left[: 16 * CHUNK]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    raise self._gone() from None
        self._selector.unregister(self._input)

    def _take(
        self, until: float, still: str = "no answer", ended: bool = True
    ) -> list[object]:
        """Read what comes next, once; what is ready."""
        wait = until - time.monotonic()
        ready = (
            [key.fileobj for key, _ in self._selector.select(wait)] if wait > 0 else []
        )
        if not ready and time.monotonic() >= until:
            raise PortError(f"{still} within {self.limit:g} s")
        if self._log in ready:
            data = os.read(self._log.fileno(), CHUNK)
            self._errors = (self._errors + data)[-4 * LINES * WIDTH :]
            if not data:
                self._unwatch(self._log)
        if self._output in ready:
            data = os.read(self._output.fileno(), 16 * CHUNK)
            self._got += data
            if not data:
                self._unwatch(self._output)
                if ended:
                    raise self._gone()
        return list(ready)

    def _gone(self) -> PortError:
        """It takes or says nothing any more: how it ended."""
        self._drain()
        try:
            code = self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            return PortError("closed its end of the pipe without an answer")
        more = f", in the middle of the line {_excerpt(self._got)}" if self._got else ""
        return PortError(f"ended {ending(code)} without an answer{more}")

    def _drain(self) -> None:
        """What it said on standard error before it ended."""
        until = time.monotonic() + GRACE
        while self._log in self._streams() and time.monotonic() < until:
            for key, _ in self._selector.select(GRACE):
                if key.fileobj is self._log:
                    data = os.read(self._log.fileno(), CHUNK)
                    self._errors = (self._errors + data)[-4 * LINES * WIDTH :]
                    if not data:
                        self._unwatch(self._log)
                else:
                    self._selector.unregister(key.fileobj)

    def _streams(self) -> list[object]:
        return [key.fileobj for key in self._selector.get_map().values()]

    def _unwatch(self, stream: IO[bytes]) -> None:
        if stream in self._streams():
            self._selector.unregister(stream)
        stream.close()


def _never_blocking(stream: IO[bytes] | None) -> IO[bytes]:
    """A pipe's end that never blocks."""
    assert stream is not None
    os.set_blocking(stream.fileno(), False)
    return stream


def _endless(most: int) -> MalformedError:
    return MalformedError(f"a line of more than {most} bytes, which no answer needs")


def _excerpt(data: bytes | bytearray) -> str:
    return repr(bytes(data[:60]).decode(errors="replace"))
