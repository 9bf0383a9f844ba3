"""The errors that a user's mistake raises. Standard library only."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["DomainError", "ShapeError"]

_WIDTH = 80
"""How much of a value a message shows."""


class DomainError(ValueError):
    """An argument's value lies outside what the mathematics, or the table, defines."""


class ShapeError(ValueError):
    """An argument's shape does not fit the others."""


def domain_error(argument: str, value: object, must: str, where: str) -> DomainError:
    """The house's one form of a domain message: what, its value, what it must be.

    Args:
        argument: name of the argument, with an index where it is an array's element.
        value: the offending value, shown in one line of at most 80 characters.
        must: what it must be, such as "in [0, pi/2)".
        where: the function that refuses it.

    Returns:
        The error, to be raised by the caller.
    """
    return DomainError(f"{argument}={_line(str, value)}, but must be {must} [{where}]")


def shape_error(argument: str, shape: object, must: str, where: str) -> ShapeError:
    """The same for shapes: `labels.shape=(3,), but must be (4,) [margin_logits]`.

    Args:
        argument: name of the argument.
        shape: its shape.
        must: the shape it must have.
        where: the function that refuses it.

    Returns:
        The error, to be raised by the caller.
    """
    return ShapeError(f"{argument}.shape={shape}, but must be {must} [{where}]")


def quoted(value: object) -> str:
    """A value that may be anything as its repr, in one short line."""
    return _line(repr, value)


def _line(shown: Callable[[object], str], value: object) -> str:
    try:
        line = " ".join(shown(value).split())
    except ValueError:  # an int of more than 4300 digits has no text
        line = f"<{type(value).__name__}>"
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."
