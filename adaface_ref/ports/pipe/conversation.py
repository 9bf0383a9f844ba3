"""How far a conversation with a port came."""

from __future__ import annotations

from dataclasses import dataclass

from adaface_ref.ports.pipe.protocol import PortError


@dataclass
class Conversation:
    """Where a conversation with a port is, or ended.

    Args:
        place: at hello, at a cell, at bye; "" before the port was started.
        failure: why it ended early.
    """

    place: str = ""
    failure: PortError | None = None
