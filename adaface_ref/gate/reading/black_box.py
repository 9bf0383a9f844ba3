"""Gives a head embeddings whose cosines are known, and takes their gradients back.

With the weights at [I | 0], the embedding (c_1, ..., c_C, sqrt(1 - sum c^2)) has the
cosines c. Its gradient v gives r = -v_{C+1} / x_{C+1} and GST_j = v_j + x_j r, whether
the head normalises the embedding or takes it for a unit vector.
"""

from __future__ import annotations

import inspect
import textwrap

import numpy as np
import torch
from numpy.typing import NDArray

from adaface_ref.gate.reading.reading import Array
from adaface_ref.points import in_dtype
from adaface_ref.tolerance import EPSILON

NEAREST = 4
"""1 - sum c^2 is at least so many eps, else the last entry's gradient may underflow."""


class Embedding(torch.autograd.Function):
    """Cosines (B, C) and lengths (B,) to embeddings (B, D), D > C."""

    @staticmethod
    def forward(ctx, cosine, length, size):  # type: ignore[no-untyped-def]
        """Embeddings whose cosines with the first C axes are given."""
        wide = cosine.double()
        # Out of reach, the cosines of the nearest direction that is in reach are taken.
        square = wide.square().sum(dim=1, keepdim=True)
        most = 1 - 4 * torch.finfo(cosine.dtype).eps
        wide = wide * (most / square.clamp(min=most)).sqrt()
        last = (1 - wide.square().sum(dim=1, keepdim=True)).sqrt()
        unit = torch.cat([wide, last], dim=1)
        found = (unit * length.double()[:, None]).to(cosine.dtype)
        ctx.save_for_backward(found, length)
        return torch.nn.functional.pad(found, (0, size - found.shape[1]))

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        """GST_j = v_j + x_j r, and the gradient by the length, in float64."""
        found, length = ctx.saved_tensors
        length = length.double()[:, None]
        unit, v = found.double() / length, gradient.double() * length
        classes = found.shape[1] - 1
        r = -v[:, classes : classes + 1] / unit[:, classes:]
        gst = v[:, :classes] + unit[:, :classes] * r
        along = (unit * gradient[:, : classes + 1].double()).sum(dim=1)
        return gst.to(found.dtype), along.to(found.dtype), None


SNIPPET = textwrap.dedent(inspect.getsource(Embedding)).replace(
    "  # type: ignore[no-untyped-def]", ""
)
"""The same for a snippet that has only torch; a test runs it."""


def within_reach(cosines: Array, dtype: str) -> NDArray[np.bool_]:
    """Which rows of cosines an embedding can have.

    Args:
        cosines: (B, C), values of the dtype.
        dtype: a key of EPSILON.

    Returns:
        (B,): whether sum c^2 is less than 1, clear of the rounding of its complement.
    """
    return np.asarray(np.square(cosines).sum(axis=1) <= 1 - NEAREST * EPSILON[dtype])


def moved_within_reach(cosines: Array, dtype: str) -> Array:
    """The same rows, the other classes' cosines made smaller where need be.

    Args:
        cosines: (B, C), target first.
        dtype: a key of EPSILON.

    Returns:
        (B, C), values of the dtype; a row with its target at a pole stays out of reach.
    """
    target, others = cosines[:, :1], cosines[:, 1:]
    room = 1 - target * target - 2 * NEAREST * EPSILON[dtype]
    share = np.sqrt(room.clip(min=0) / others.shape[1])
    keep = within_reach(cosines, dtype)[:, None]
    inside = in_dtype(np.where(keep, others, others.clip(-1, 1) * share), dtype)
    return np.concatenate([target, inside], axis=1)
