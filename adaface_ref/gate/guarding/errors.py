"""What a target or a head can be refused for: one line each, never a traceback."""

from __future__ import annotations

from adaface_ref.errors import DomainError
from adaface_ref.gate.guarding.source_lines import place_of


class TargetError(DomainError):
    """The user's target, adapter or argument is not valid."""


class SubjectError(Exception):
    """The head could not be judged: it crashed, or gave something unreadable."""


def target_error(target: object, must: str) -> TargetError:
    """The one form of a target's message.

    Args:
        target: what was given.
        must: what it must be.

    Returns:
        The error, to be raised by the caller.
    """
    return TargetError(f"target={target}, but must be {must} [gate]")


def subject_error(doing: str, error: BaseException) -> SubjectError:
    """One line for an exception of the head: what it was doing, what, where.

    Args:
        doing: such as "importing the head".
        error: what the head raised.

    Returns:
        The error, to be raised by the caller.
    """
    return SubjectError(f"{doing}: {described(error)}{place_of(error)}")


def described(error: BaseException) -> str:
    """An exception's type and message, even one that cannot be printed."""
    try:
        text = " ".join(str(error)[:2000].split())[:300] or "no message"
    except BaseException as worse:
        text = f"no message, its __str__ raises {type(worse).__name__}"
    return f"{type(error).__name__}: {text}"
