"""Logits to train on, with a backward that is exact, and finite at the poles."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from adaface_ref.errors import domain_error, quoted, shape_error
from adaface_ref.torch_heads.arguments import (
    Domain,
    Profile,
    Value,
    Values,
    parse_profile,
    per_row,
    require,
    require_floating,
    require_labels,
    widen,
)
from adaface_ref.torch_heads.losses import (
    LOSSES,
    Loss,
    bare_piece,
    check_call,
    clamped_target,
    hardness,
    subtrahend,
    whole_piece,
)


class _MarginedCosine(torch.autograd.Function):
    """The margined target cosine with its closed-form slope for a gradient.

    At a pole, and past it by rounding, the slope is the one at the nearest interior
    float of the dtype. The backward is made of differentiable operations.
    """

    @staticmethod
    def forward(
        cosine: Tensor,
        margin: Tensor,
        multiplier: Tensor,
        loss: str,
        profile: str,
        edge: float,
    ) -> Tensor:
        parsed = parse_profile(profile, "margin_logits")
        return bare_piece(LOSSES[loss], parsed, cosine, margin, multiplier).value

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:3])
        ctx.loss, ctx.profile, ctx.edge = inputs[3:]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        cosine, margin, multiplier = ctx.saved_tensors
        (grad,), edge, row = grads, ctx.edge, LOSSES[ctx.loss]
        profile = parse_profile(ctx.profile, "margin_logits")
        inner = cosine.clamp(-edge, edge)
        piece = bare_piece(row, profile, inner, margin, multiplier)
        exact = bare_piece(row, profile, cosine.detach(), margin, multiplier)
        by_margin = torch.where(inner == cosine, piece.by_margin, exact.by_margin)
        by_cosine = grad * piece.slope
        if edge == 1:  # 0 times an infinite slope is a row that nobody asked about
            by_cosine = torch.where(grad == 0, 0.0, by_cosine)
        return by_cosine, grad * by_margin, None, None, None, None


def margin_logits(
    loss: str,
    cosine: Tensor,
    labels: Tensor,
    *,
    profile: str | Profile = "pure",
    pole_gradient: str = "nearest",
    check: bool = True,
    **parameters: Value,
) -> Tensor:
    """Logits to train on: margin on each row's own class, scale on all.

    Args:
        loss: a key of `LOSSES`.
        cosine: (B, C), C >= 1, any floating dtype; 4 eps past [-1, 1] pass for the end
            itself.
        labels: (B,) integers in [0, C); -1 leaves a row without margin, to be skipped
            by cross_entropy(ignore_index=-1).
        profile: what a head does outside the core region.
        pole_gradient: "nearest" (finite: the slope at the nearest interior float) or
            "limit" (infinite where the mathematics is).
        check: whether to look at the values, which waits for the device.
        parameters: those of `PARAMETERS[loss]`: a number, (), (B,) or (B, 1). Gradients
            flow to angular and additive margins and to MagFace's norm;
            `margin_scaler`, `multiplier` and `curriculum` are held constant.

    Returns:
        (B, C) in the dtype of `cosine`; the target column by way of float64.

    Raises:
        DomainError: a name or value outside its domain.
        ShapeError: shapes other than those named.
    """
    where = "margin_logits"
    unread = ("regulariser_weight",)
    row, parsed = check_call(loss, profile, parameters, where, unread, check=check)
    require_pole_gradient(pole_gradient, where)
    dtype = require_floating("cosine", cosine, where)
    if cosine.dim() != 2 or cosine.shape[1] == 0:
        raise shape_error("cosine", tuple(cosine.shape), "(B, C) with C >= 1", where)
    past = 4 * torch.finfo(dtype).eps
    if check:
        require("cosine", cosine, _up_to_rounding(past), where)
    rows, classes = cosine.shape
    labels = require_labels(labels, rows, classes, where, check=check)
    values = {
        name: per_row(name, widen(name, value, cosine, where), rows, where)
        for name, value in parameters.items()
    }
    if "margin_scaler" in values:
        values["margin_scaler"] = values["margin_scaler"].detach()
    real, index = labels >= 0, labels.clamp(min=0).unsqueeze(1)
    target = torch.where(real, cosine.gather(1, index).squeeze(1), 0.0).double()
    nearest = pole_gradient == "nearest" and parsed.cosine == 0
    edge = 1 - torch.finfo(dtype).eps / 2 if nearest else 1.0
    margined = values["scale"] * _target(loss, parsed, values, target, edge)
    others = _others(row, parsed, values, cosine, target, real).to(dtype)
    column = torch.where(real, margined.to(dtype), others.gather(1, index).squeeze(1))
    return others.scatter(1, index, column.unsqueeze(1))


def require_pole_gradient(pole_gradient: str, where: str) -> None:
    """Refuse anything but nearest and limit."""
    if pole_gradient not in ("nearest", "limit"):
        must = "nearest or limit"
        raise domain_error("pole_gradient", quoted(pole_gradient), must, where)


def _up_to_rounding(past: float) -> Domain:
    return Domain("in [-1, 1] up to 4 eps", lambda x: (x.abs() - 1) <= past)


def _target(
    loss: str, profile: Profile, values: Values, target: Tensor, edge: float
) -> Tensor:
    """The margined target cosine (B,), with the gradient that the profile names."""
    row = LOSSES[loss]
    if profile.detached:
        value = whole_piece(row, profile, values, target).value.detach()
        free = clamped_target(profile, target.detach().clamp(-1, 1)).free
        return value + torch.where(free, target - target.detach(), 0.0)
    margin = row.angular(values).expand_as(target)
    multiplier = row.multiplier(values).expand_as(target)
    bare = _MarginedCosine.apply(target, margin, multiplier, loss, str(profile), edge)  # type: ignore[no-untyped-call]
    margined: Tensor = bare - subtrahend(row, profile, values, target)
    return margined


def _others(
    row: Loss,
    profile: Profile,
    values: Values,
    cosine: Tensor,
    target: Tensor,
    real: Tensor,
) -> Tensor:
    """Every class's logit without a margin (B, C), in float32 at least."""
    dtype = torch.promote_types(cosine.dtype, torch.float32)
    modified = clamped = cosine.to(dtype)
    eps = profile.clamp_of_others
    if eps > 0:
        past = (1 - clamped.abs() < eps) & real.unsqueeze(1)
        end = clamped.detach().sign() * (1 - eps)
        modified = clamped = torch.where(past, end, clamped)
    if row.hard_others:
        bar = hardness(row, profile, values, target).detach()
        hard = (clamped > bar.unsqueeze(1)) & real.unsqueeze(1)
        curriculum = _as_column(values["curriculum"].detach(), dtype)
        modified = torch.where(hard, clamped * (curriculum + clamped), clamped)
        if profile.detached:
            modified = modified.detach() + (clamped - clamped.detach())
    return modified * _as_column(values["scale"], dtype)


def _as_column(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value if value.dim() == 0 else value.to(dtype).unsqueeze(1)
