"""A script to paste that shows where a whole head departs: torch and the head alone."""

from __future__ import annotations

from adaface_ref.gate.session.session import Session
from adaface_ref.gate.twin.comparison import Departure

LARGEST = 600
"""Numbers that a script may hold; a larger case is drawn by torch's own seed."""


def whole_script(session: Session, departure: Departure) -> str:
    """Lines that run the head on the drawn batch and print the element.

    Args:
        session: the head.
        departure: where it departs.

    Returns:
        Source text.
    """
    return "\n".join(["import torch", *session.target.import_lines, ""]) + "\n"
