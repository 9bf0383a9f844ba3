"""The port starts, speaks the protocol, and leaves when it is told to.

Why: A port that crashes, hangs or answers something else cannot be judged, and must
never count as one that conforms.

Breaks: Output that is not flushed, more than one line an answer, something printed on
standard output besides, too few or too many values, capital hexadecimal digits, an
unknown field, or an exit code other than 0 after bye.

Mend: Answer every line with exactly one line and flush it; print everything else on
standard error. docs/ports.md has a whole exchange to compare with.
"""

from __future__ import annotations

from adaface_ref.ports.pipe.conversation import Conversation
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import ERROR, OK
from adaface_ref.report.result import Result


def judge(conversation: Conversation, claim: str) -> Result:
    """Tell how far the conversation came."""
    place, failure = conversation.place, conversation.failure
    if failure is not None:
        return Result(ERROR, f"{place}: {failure}" if place else str(failure))
    return Result(OK, "it started, said hello, answered, and left after bye")


ROW = Row(judge)
