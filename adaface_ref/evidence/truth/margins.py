"""The margins of each loss whose target is cos(k theta + a) - b, for comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from adaface_ref.numpy_reference.arguments import Array


class Margins(NamedTuple):
    """k, a and b, each (B,)."""

    multiplier: Array
    angular: Array
    additive: Array


def margins_of(loss: str, columns: Mapping[str, Array]) -> Margins | None:
    """A loss's margins on columns.

    Args:
        loss: a loss id.
        columns: its parameters, (B,) each.

    Returns:
        The margins, or None where the loss has another form.
    """
    zero = np.zeros_like(columns["scale"])
    one = zero + 1
    if loss in ("arcface", "curricularface"):
        return Margins(one, columns["margin"], zero)
    if loss == "cosface":
        return Margins(one, zero, columns["margin"])
    if loss == "adaface":
        shift = columns["margin"] * columns["margin_scaler"]
        return Margins(one, -shift, shift + columns["margin"])
    if loss == "combined":
        offsets = columns["angular_offset"], columns["additive_offset"]
        return Margins(columns["multiplier"], *offsets)
    if loss == "magface":
        lower, upper = columns["norm_lower"], columns["norm_upper"]
        share = (columns["feature_norm"].clip(lower, upper) - lower) / (upper - lower)
        span = columns["margin_upper"] - columns["margin_lower"]
        return Margins(one, columns["margin_lower"] + share * span, zero)
    return Margins(one, zero, zero) if loss == "normface" else None
