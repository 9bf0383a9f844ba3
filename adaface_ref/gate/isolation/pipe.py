"""What the head's process may tell ours: lines of JSON, parsed and never unpickled.

Each line carries the run's nonce, so that nothing that a head writes by itself counts.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

LIMIT = 2**26
"""Bytes of one message, and of what is unread: a report is a thousandth of it."""

# Bound before any head is imported, so that one that replaces them changes nothing.
_write, _dumps = os.write, json.dumps


@dataclass(frozen=True)
class Sender:
    """The head's process's end of the pipe.

    Args:
        descriptor: where lines are written.
        nonce: marks the lines of this run.
    """

    descriptor: int
    nonce: str
    _one_at_a_time: Any = field(default_factory=Lock, repr=False)

    def send(self, kind: str, **content: Any) -> None:
        """Write one message.

        Args:
            kind: `ready`, `progress`, `mistake`, `stuck` or `report`.
            content: JSON types.

        Raises:
            OSError: the pipe is closed at either end.
        """
        message = {"nonce": self.nonce, "kind": kind, **content}
        rest = memoryview(_dumps(message).encode() + b"\n")
        with self._one_at_a_time:
            while rest:
                rest = rest[_write(self.descriptor, rest) :]


@dataclass
class Inbox:
    """Our end of the pipe.

    Args:
        nonce: marks the lines that count.
        readable: False once anything else was written.
    """

    nonce: str
    readable: bool = True
    _unfinished: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take in bytes as they come.

        Args:
            data: what was read from the pipe.

        Returns:
            The messages that it completes.
        """
        if not self.readable:
            return []
        self._unfinished += data
        *lines, rest = self._unfinished.split(b"\n")
        self._unfinished = bytearray(rest)
        messages = [self._message(bytes(line)) for line in lines]
        self.readable &= len(rest) <= LIMIT and None not in messages
        return [message for message in messages if message is not None]

    def close(self) -> None:
        """No more will come: a line without its end is unreadable."""
        self.readable &= not self._unfinished

    def _message(self, line: bytes) -> dict[str, Any] | None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(message, dict) or message.pop("nonce", None) != self.nonce:
            return None
        return message


@dataclass
class Tail:
    """The end of what a head prints, however much that is.

    Args:
        lines: how many lines are kept.
        width: how many characters of each.
        total: bytes printed so far.
    """

    lines: int = 20
    width: int = 200
    total: int = 0
    _kept: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take in bytes as they come."""
        self.total += len(data)
        self._kept = (self._kept + data)[-4 * self.lines * self.width :]

    def text(self) -> str:
        """The last lines, each marked as the head's own, without control characters."""
        whole = self._kept.decode(errors="replace").splitlines()
        shown = [
            "  | " + "".join(c if c.isprintable() else "?" for c in line)[: self.width]
            for line in whole[-self.lines :]
        ]
        if not shown:
            return ""
        first = f"the head printed {self.total} bytes"
        cut = self.total > len(self._kept) or len(whole) > self.lines
        return "\n".join([f"{first}, which end in:" if cut else f"{first}:", *shown])
