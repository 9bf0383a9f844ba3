"""What comes back from a head's logits or losses to embeddings, weights and norms.

With x_i and w_j the unit vectors and A_ij = dL/dc_ij,

    dL/dx_i = (sum_j A_ij (w_j - c_ij x_i)) / |x_i|
    dL/dW_j = (sum_i A_ij (x_i - c_ij w_j)) / |W_j|

Both are tangent: dL/dW_j . W_j = 0. Losses that read the norm add its own gradient
along x_i where it is the embedding's length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.twin.whole_head import SETTLED, Bounded, Twin
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.spec.losses import LOSSES
from adaface_ref.tolerance import ROUNDINGS

# At a pole a slope is infinite: the caller leaves such rows out.
_quiet = np.errstate(all="ignore")


@dataclass(frozen=True)
class Gradients:
    """Gradients with their bounds.

    Args:
        embeddings: (B, D).
        weights: (K, C, D).
        norms: (B,).
    """

    embeddings: Bounded
    weights: Bounded
    norms: Bounded


@_quiet
def gradients(twin: Twin, upstream: Array, *, length_is_norm: bool) -> Gradients:
    """Carry a gradient back through the twin.

    Args:
        twin: the head's twin.
        upstream: of the logits (B, C), or of the rows' losses (B,).
        length_is_norm: whether the norm that a loss reads is the embedding's length.

    Returns:
        The gradients.
    """
    push = pushes(twin, upstream)
    norms = norm_gradients(twin, upstream)
    rows, classes = twin.units
    row_lengths, class_lengths = twin.lengths
    picked = twin.nearest[None] == np.arange(len(classes))[:, None, None]
    parts = [Bounded(push.value * p, push.allowed * p) for p in picked]
    by_row = [_tangent(part, c, rows, twin.eps)
              for part, c in zip(parts, classes, strict=True)]  # fmt: skip
    embedding = Bounded(
        sum(part.value for part in by_row) / row_lengths,
        sum(part.allowed for part in by_row) / row_lengths,
    )
    if length_is_norm:
        along = Bounded(norms.value[:, None] * rows, norms.allowed[:, None] * abs(rows))
        embedding = Bounded(
            embedding.value + along.value,
            embedding.allowed + along.allowed + SETTLED * twin.eps * abs(along.value),
        )
    by_class = [
        _tangent(Bounded(part.value.T, part.allowed.T), rows, c, twin.eps)
        for part, c in zip(parts, classes, strict=True)
    ]
    weights = Bounded(
        np.stack([part.value for part in by_class]) / class_lengths,
        np.stack([part.allowed for part in by_class]) / class_lengths,
    )
    return Gradients(embedding, weights, norms)


@_quiet
def pushes(twin: Twin, upstream: Array) -> Bounded:
    """A_ij, the gradient by every cosine: (B, C).

    Args:
        twin: the head's twin.
        upstream: of the logits (B, C), or of the rows' losses (B,).

    Returns:
        The gradients with their bounds.
    """
    slope = twin.slopes
    onto = Bounded(upstream, np.zeros_like(upstream))
    if upstream.ndim == 1:
        onto = twin.residuals.times(upstream[:, None])
    value = twin.scale * onto.value * slope.value
    off = np.abs(onto.value) * slope.allowed
    off += onto.allowed * (np.abs(slope.value) + slope.allowed)
    return Bounded(value, twin.scale * off + ROUNDINGS * twin.eps * np.abs(value))


JUMP = 1e-3
"""A logit that may be off by more, as a share of the scale, lies next to a jump."""


def norm_gradients(twin: Twin, upstream: Array) -> Bounded:
    """The gradient by the norms, (B,): 0 where the loss holds them constant."""
    size = len(twin.given.labels)
    if not LOSSES[twin.loss].norm_has_gradient:
        return Bounded(np.zeros(size), np.zeros(size))
    own = twin.own
    target = np.where(own, twin.cosines.value, 0.0).sum(axis=1)
    columns = twin.row_columns
    if upstream.ndim == 2:
        # dF/d norm of the target's logit, by a loss of which 1 - P is known.
        columns = columns | {"regulariser_weight": np.zeros(size)}
    rival = _rival(twin)
    value = reference.norm_gradient(
        twin.loss, target, rival, profile=twin.profile, **columns
    )
    left = -np.where(own, twin.residuals.value, 0.0).sum(axis=1)
    doubt = np.where(own, twin.residuals.allowed, 0.0).sum(axis=1)
    if upstream.ndim == 2:
        with np.errstate(invalid="ignore", divide="ignore"):
            value = -np.nan_to_num(value / left) * (upstream * own).sum(axis=1)
        return Bounded(value, SETTLED * ROUNDINGS * twin.eps * (1 + np.abs(value)))
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(value) * np.nan_to_num(doubt / left)
    off = off + SETTLED * ROUNDINGS * twin.eps * (1 + np.abs(value))
    # Next to a jump of the rule, either side's derivative is right: one may be 0.
    jumps = np.where(own, twin.logits.allowed, 0.0).max(axis=1) > JUMP * twin.scale
    off = off + jumps * twin.scale * _steepest(columns)
    return Bounded(upstream * value, np.abs(upstream) * off)


def _steepest(columns: Mapping[str, Array]) -> Array:
    """The largest |dF/d norm| / scale: that of the margin by the norm, (B,)."""
    rise = columns["margin_upper"] - columns["margin_lower"]
    return np.asarray(rise / (columns["norm_upper"] - columns["norm_lower"]))


def _rival(twin: Twin) -> Array:
    """The rival cosine of every row, (B,)."""
    size, classes = twin.own.shape
    others = (twin.logits.value / twin.scale)[~twin.own].reshape(size, classes - 1)
    return np.asarray(reference.rival_cosine(others, np.full(size, twin.scale)))


def _tangent(push: Bounded, onto: Array, at: Array, eps: float) -> Bounded:
    """sum_j A_ij (v_j - (v_j . u_i) u_i) for vectors v (N, D) at unit vectors u (M, D).

    A head sums A v first and then takes off what lies along u; both sums round.
    """
    total = push.value @ onto
    size = np.abs(push.value) @ np.abs(onto)
    along = (total * at).sum(axis=1, keepdims=True)
    count = len(onto) + at.shape[1] + SETTLED
    lost = count * eps * size
    lost += np.abs(at) * (np.abs(at) * (size * count * eps)).sum(axis=1, keepdims=True)
    doubt = push.allowed @ np.abs(onto)
    doubt += np.abs(at) * (np.abs(at) * doubt).sum(axis=1, keepdims=True)
    return Bounded(total - along * at, doubt + lost)
