"""Makes a head and what it is given for one shape, its statistics held still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from adaface_ref.gate.reading.class_weights import Layout
from adaface_ref.gate.session.session import Session
from adaface_ref.gate.statistics.kept_numbers import put
from adaface_ref.gate.twin.drawn_inputs import NORMS, Shape, draw
from adaface_ref.gate.twin.whole_head import Given
from adaface_ref.gate.twin.whole_run import Whole
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.points import in_dtype


def why_not_compared(session: Session) -> str:
    """Why the head has no twin to be compared with, empty where it has one.

    Args:
        session: What the checks of one head share.

    Returns:
        The reason as the end of a sentence, or an empty text.
    """
    whole = session.door.whole
    if whole is None:
        return "the head is given cosines"
    if _reads_statistics(session) and session.hold is None:
        takes = session.door.takes
        if "margin_scaler" not in takes:
            return "the head's statistics cannot be held still"
    if session.policy is not None and session.policy.moves_in_eval:
        return "the head's statistics move in eval mode"
    return ""


def prepare(
    session: Session, head: object, layout: Layout, shape: Shape, dtype: str
) -> Whole:
    """The head as it is run whole, before each run put back to what it holds.

    Args:
        session: What the checks of one head share.
        head: The head made for this shape.
        layout: How its class weights lie.
        shape: Classes, embedding size and rows.
        dtype: A key of ``DTYPES``.

    Returns:
        The head ready to run, in training mode where its statistics are held
        or it has no buffers, else in eval mode.
    """
    door = session.door.whole
    assert door is not None
    hold = session.hold

    def hold_still() -> None:
        if hold is not None:
            for name, value in hold.numbers.items():
                put(head, name, value)

    if isinstance(head, torch.nn.Module):
        buffers = any(True for _ in head.buffers())
        head.train(not (hold is not None or buffers))
    return Whole(
        head, door.call, layout, shape.classes, dtype, session.device,
        door.form, hold_still,
    )  # fmt: skip


def draw_given(session: Session, shape: Shape, dtype: str, centres: int) -> Given:
    """Vectors and labels, and what the loss reads of each row."""
    spread = None
    if _reads_lengths(session):
        spread = NORMS
    if session.hold is not None and _reads_statistics(session):
        spread = session.hold.norms
    given = draw(shape, session.seed, dtype, centres=centres, lengths=spread)
    norms = in_dtype(np.linalg.norm(given.embeddings, axis=1), dtype)
    columns = _columns(session, norms)
    assert session.door.whole is not None
    if session.door.whole.call.has("norms"):
        # Who is given norms beside embeddings may take these for unit vectors.
        unit = in_dtype(given.embeddings / norms[:, None], dtype)
        return replace(given, embeddings=unit, columns=columns, norms=norms)
    return replace(given, columns=columns)


def _columns(session: Session, norms: Array) -> dict[str, Array]:
    if _reads_lengths(session):
        return {"feature_norm": norms}
    if _reads_statistics(session):
        if session.hold is not None:
            return {"margin_scaler": session.hold.scaler(norms)}
        return {"margin_scaler": np.linspace(-1, 1, len(norms))}
    return {}


def _reads_lengths(session: Session) -> bool:
    return session.definition.row_quantity_name == "feature_norm"


def _reads_statistics(session: Session) -> bool:
    return session.definition.statistics_of == "norms"


def wants_column(session: Session) -> bool:
    """Whether norms are given as (B, 1)."""
    whole = session.door.whole
    return session.column or (whole is not None and whole.column)
