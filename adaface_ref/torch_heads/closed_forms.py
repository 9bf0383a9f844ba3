"""Closed forms on tensors: in float64 inside, rounded once to the dtype that came."""

from __future__ import annotations

import torch
from torch import Tensor

from adaface_ref.errors import domain_error, quoted, shape_error
from adaface_ref.torch_heads.arguments import (
    Profile,
    Value,
    require_broadcast,
    require_domain,
    require_floating,
    widen,
)
from adaface_ref.torch_heads.losses import (
    check_call,
    magface_rate,
    share,
    whole_other,
    whole_piece,
)
from adaface_ref.torch_heads.rules import Piece


class _Question:
    """A closed form's arguments, checked and widened to float64."""

    def __init__(
        self,
        where: str,
        loss: str,
        profile: str | Profile,
        parameters: dict[str, Value],
        unread: tuple[str, ...] = ("curriculum", "regulariser_weight"),
        *,
        target_cosine: Tensor,
        **cosines: Value,
    ) -> None:
        self.row, self.profile = check_call(loss, profile, parameters, where, unread)
        self.dtype = require_floating("target_cosine", target_cosine, where)
        given: dict[str, Value] = {"target_cosine": target_cosine, **cosines}
        for name, value in given.items():
            require_domain(name, value, where)
        given |= dict.fromkeys(unread, 1.0) | parameters
        self.values = {
            name: widen(name, value, target_cosine, where)
            for name, value in given.items()
        }
        require_broadcast(self.values, where)

    def piece(self) -> Piece:
        """The margined target cosine and its derivatives."""
        target = self.values["target_cosine"]
        return whole_piece(self.row, self.profile, self.values, target)

    def other(self) -> tuple[Tensor, Tensor]:
        """The other class's modified cosine and its slope."""
        other, target = self.values["other_cosine"], self.values["target_cosine"]
        return whole_other(self.row, self.profile, self.values, other, target)

    def lead(self, piece: Piece) -> Tensor:
        """How far the target logit lies above the one that stands for all others."""
        return self.values["scale"] * (piece.value - self.values["rival_cosine"])

    def round(self, exact: Tensor) -> Tensor:
        """Rounded once, to the dtype of the target cosine."""
        return exact.to(self.dtype)


def logit(
    loss: str,
    target_cosine: Tensor,
    *,
    profile: str | Profile = "pure",
    **parameters: Value,
) -> Tensor:
    """The target's logit after margin and scale, f = s F(c).

    Args:
        loss: a key of `LOSSES`.
        target_cosine: cosines to the own class, any floating dtype and shape.
        profile: `rule[:field,...]`, what a head does outside the core region.
        parameters: those of `PARAMETERS[loss]`, numbers or tensors that broadcast.

    Returns:
        Computed in float64, rounded once to the dtype of `target_cosine`.

    Raises:
        DomainError: a name or value outside its domain.
        ShapeError: shapes that do not broadcast.
    """
    q = _Question("logit", loss, profile, parameters, target_cosine=target_cosine)
    return q.round(q.values["scale"] * q.piece().value)


def slope(
    loss: str,
    target_cosine: Tensor,
    *,
    profile: str | Profile = "pure",
    **parameters: Value,
) -> Tensor:
    """D = d(f/s)/dc, cos a + c sin a / sin(theta) in the core; infinite at a pole.

    Arguments as in `logit`; the scale need not be given.
    """
    unread = ("scale", "curriculum", "regulariser_weight")
    q = _Question(
        "slope", loss, profile, parameters, unread, target_cosine=target_cosine
    )
    return q.round(q.piece().slope)


def probability(
    loss: str,
    target_cosine: Tensor,
    rival_cosine: Value,
    *,
    profile: str | Profile = "pure",
    **parameters: Value,
) -> Tensor:
    """P = 1/(1 + exp(-x)) with x = s (F(c) - n), the target's softmax output.

    Arguments as in `logit`, and `rival_cosine` n, any finite number.
    """
    q = _Question(
        *("probability", loss, profile, parameters),
        target_cosine=target_cosine,
        rival_cosine=rival_cosine,
    )
    lead = q.lead(q.piece())
    return q.round(share(torch.ones_like(lead), -lead))


def gst(
    loss: str,
    target_cosine: Tensor,
    rival_cosine: Value,
    *,
    profile: str | Profile = "pure",
    **parameters: Value,
) -> Tensor:
    """The gradient scaling term g = -s (1 - P) D; arguments as in `probability`."""
    q = _Question(
        *("gst", loss, profile, parameters),
        target_cosine=target_cosine,
        rival_cosine=rival_cosine,
    )
    piece = q.piece()
    return q.round(share(-q.values["scale"] * piece.slope, q.lead(piece)))


def other_logit(
    loss: str,
    other_cosine: Value,
    target_cosine: Tensor,
    *,
    profile: str | Profile = "pure",
    **parameters: Value,
) -> Tensor:
    """Another class's logit s G(c_j): s c_j, or a hard one's s c_j (t + c_j).

    Arguments as in `logit`, and `other_cosine` c_j in [-1, 1].
    """
    q = _Question(
        *("other_logit", loss, profile, parameters, ("regulariser_weight",)),
        target_cosine=target_cosine,
        other_cosine=other_cosine,
    )
    return q.round(q.values["scale"] * q.other()[0])


def other_gst(
    loss: str,
    target_cosine: Tensor,
    rival_cosine: Value,
    other_cosine: Value,
    *,
    profile: str | Profile = "pure",
    **parameters: Value,
) -> Tensor:
    """Another class's term P_j s G'(c_j), with P_j = (1 - P) exp(s (G(c_j) - n)).

    Arguments as in `probability`, and `other_cosine` c_j, with G(c_j) at most n.
    """
    q = _Question(
        *("other_gst", loss, profile, parameters, ("regulariser_weight",)),
        target_cosine=target_cosine,
        rival_cosine=rival_cosine,
        other_cosine=other_cosine,
    )
    scale, lead = q.values["scale"], q.lead(q.piece())
    value, rate = q.other()
    positive = lead > 0
    behind = scale * (value - q.values["rival_cosine"])
    half = torch.exp((behind - torch.where(positive, lead, 0.0)) / 2)
    below_one = 1 + torch.exp(torch.where(positive, -lead, lead))
    return q.round(((scale * rate * half) * half) / below_one)


def loss_value(
    loss: str,
    target_cosine: Tensor,
    rival_cosine: Value,
    *,
    profile: str | Profile = "pure",
    **parameters: Value,
) -> Tensor:
    """-ln P, plus MagFace's regulariser; arguments as in `probability`."""
    unread = ("curriculum",)
    q = _Question(
        *("loss_value", loss, profile, parameters, unread),
        target_cosine=target_cosine,
        rival_cosine=rival_cosine,
    )
    lead = q.lead(q.piece())
    near = torch.nn.functional.softplus(-lead, threshold=_FAR)
    missed = torch.where(lead > _FAR, share(torch.ones_like(lead), lead), near)
    return q.round(missed + q.row.penalty(q.values))


_FAR = 40.0
"""From here on ln(1 + exp(v)) is v, and ln(1 + exp(-v)) exp(-v), to the last bit."""


def norm_gradient(
    loss: str,
    target_cosine: Tensor,
    rival_cosine: Value,
    *,
    profile: str | Profile = "pure",
    **parameters: Value,
) -> Tensor:
    """MagFace's dL/d norm = -s (1 - P) dF/dm m'(a) + w (1/u_a^2 - 1/a^2) in (l_a, u_a).

    Arguments as in `probability`; 0 where the norm is clipped.
    """
    where = "norm_gradient"
    if not isinstance(loss, str) or loss != "magface":
        raise domain_error("loss", quoted(loss), "'magface'", where)
    q = _Question(
        *(where, loss, profile, parameters, ()),
        target_cosine=target_cosine,
        rival_cosine=rival_cosine,
    )
    v, piece = q.values, q.piece()
    norm, upper = v["feature_norm"], v["norm_upper"]
    pull = share(-v["scale"] * piece.by_margin * magface_rate(v), q.lead(piece))
    push = (norm - upper) * (norm + upper) / (norm * norm * (upper * upper))
    total = pull + v["regulariser_weight"] * push
    inside = (norm > v["norm_lower"]) & (norm < upper)
    return q.round(torch.where(inside, total, 0.0))


def rival_cosine(
    other_logits_over_scale: Tensor, scale: Value, axis: int = -1
) -> Tensor:
    """n = (1/s) ln sum exp(s G_j): the one cosine that stands for all other classes.

    Args:
        other_logits_over_scale: the other classes' logits over the scale, finite.
        scale: s > 0, a number or a tensor that broadcasts with the result.
        axis: the axis of the classes, which may not be empty.

    Returns:
        The shape without `axis`, and the dtype of `other_logits_over_scale`.

    Raises:
        DomainError: a value that is not finite, or a scale that is not positive.
        ShapeError: no class to stand for, or a scale that does not broadcast.
    """
    name, where = "other_logits_over_scale", "rival_cosine"
    dtype = require_floating(name, other_logits_over_scale, where)
    require_domain(name, other_logits_over_scale, where)
    require_domain("scale", scale, where)
    others = widen(name, other_logits_over_scale, other_logits_over_scale, where)
    if not isinstance(axis, int):
        raise domain_error("axis", quoted(axis), "an integer", where)
    if not -others.dim() <= axis < others.dim() or others.shape[axis] == 0:
        must = f"at least one class along axis {axis}"
        raise shape_error(name, tuple(others.shape), must, where)
    factor = widen("scale", scale, others, where)
    top = others.amax(axis)
    require_broadcast({name: top, "scale": factor}, where)
    gaps = (others.movedim(axis, -1) - top.unsqueeze(-1)) * factor.unsqueeze(-1)
    return (top + gaps.exp().sum(-1).log() / factor).to(dtype)
