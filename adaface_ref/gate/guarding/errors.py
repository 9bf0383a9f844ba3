"""What stops a judgement, in one line: the target, the head, or a fault of ours."""

from __future__ import annotations

from adaface_ref.errors import DomainError
from adaface_ref.gate.guarding.source_lines import has_line_of_the_head, place_of
from adaface_ref.report.our_faults import describe, explain_as_ours


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


HINTS = {
    "Can't call numpy() on Tensor that requires grad": (
        "; a head in NumPy has no gradient in torch: adaface-ref port judges it as a "
        "port, whose gradient is a function of its own"
    ),
}
"""What would make a head judgeable, by a part of what it raised."""


def subject_error(doing: str, error: BaseException) -> SubjectError:
    """One line for an exception of the head: what it was doing, what, where.

    Args:
        doing: such as "importing the head".
        error: what the head raised.

    Returns:
        The error, to be raised by the caller.
    """
    told = describe(error)
    hint = next((words for part, words in HINTS.items() if part in told), "")
    return SubjectError(f"{doing}: {told}{place_of(error)}{hint}")


def what_stopped(error: BaseException, doing: str = "judging the head") -> str:
    """One line for what stopped a judgement: the head's fault, or ours.

    Args:
        error: what was raised: by the head while it was called, by the head's code on
            another way, or by ours alone.
        doing: what was being done.

    Returns:
        What happened. The traceback of a fault of ours is kept in a file.
    """
    if isinstance(error, SubjectError):
        return f"could not run: {error}"
    if has_line_of_the_head(error):
        return f"could not run: {subject_error(doing, error)}"
    return f"a fault of adaface-ref, not of the head: {explain_as_ours(error)}"
