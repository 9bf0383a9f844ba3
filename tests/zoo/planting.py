"""What is known of a planted head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Wrong(NamedTuple):
    """One planted head.

    Args:
        loss: the loss it claims to be.
        check: the check that must catch it.
        cause: words of the likely cause, where the fault is one of those known.
        arguments: what it is judged with.
        dtypes: in which it is judged.
        status: what the check then says: a warning for what is no error.
        effort: the least at which it is caught.
        device: where it shows.
    """

    loss: str
    check: str
    cause: str = ""
    arguments: Mapping[str, object] = {}
    dtypes: tuple[str, ...] = ("float32", "float64")
    status: str = "failed"
    effort: str = "quick"
    device: str = "cpu"
