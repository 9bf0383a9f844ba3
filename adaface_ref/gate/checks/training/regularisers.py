"""MagFace's loss may hold its regulariser or leave it to the caller."""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.reading.reading import Array
from adaface_ref.gate.session.fresh_head import FreshHead


def regularisers(fresh: FreshHead, size: int) -> list[dict[str, Array]]:
    """The columns of each form of a loss, for so many rows."""
    if fresh.session.definition.norm_regulariser == 0:
        return [{}]
    weight = fresh.session.fixed["regulariser_weight"]
    return [{"regulariser_weight": np.full(size, w)} for w in (0.0, weight)]
