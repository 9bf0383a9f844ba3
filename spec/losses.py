"""The table of losses, all side by side.

A row gives the target logit and the other classes' logits, both divided by the scale,
as functions of the angle. Everything else in this package is derived from these rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sympy import Expr, Integer, Max, Min, Rational, S, Symbol, cos, floor, pi

from adaface_ref.spec.symbols import (
    additive_offset,
    angle,
    angular_offset,
    concentration,
    curriculum,
    feature_norm,
    margin,
    margin_lower,
    margin_scaler,
    margin_upper,
    multiplier,
    norm_lower,
    norm_upper,
    other_cosine,
    regulariser_weight,
    scale,
    segment,
    standard_norm,
)

__all__ = ["LOSSES", "Loss"]


@dataclass(frozen=True, eq=False)
class Loss:
    """One margin-softmax loss.

    Args:
        id: its name in every interface.
        title: its name in print.
        parameters: what it takes besides cosines.
        target: target logit / scale, in the angle.
        source: where it is defined.
        angular_margin: a, where the target is cos(k theta + a) - b; else None.
        additive_margin: b, likewise.
        multiplier: k, which multiplies the angle in this form and in SphereFace's.
        other: logit / scale of another class.
        hard_other: the same for a class with other_cosine > target, if it differs.
        held_constant: what the gradient does not see, and what it stands for.
        clipped: inputs clipped to an interval before use.
        norm_regulariser: added to the loss value.
        recommended: recommended values that differ from the vocabulary's.
        row_quantity: the parameter that belongs to a sample, not to the head, if any;
            it follows from the sample's norm.
        statistics_of: what of each batch its running statistics follow, if it has any.
    """

    id: str
    title: str
    parameters: tuple[Symbol, ...]
    target: Expr
    source: str
    angular_margin: Expr | None = None
    additive_margin: Expr | None = None
    multiplier: Expr = S.One
    other: Expr = other_cosine
    hard_other: Expr | None = None
    held_constant: Mapping[Symbol, Expr] = field(default_factory=dict)
    clipped: Mapping[Symbol, tuple[Expr, Expr]] = field(default_factory=dict)
    norm_regulariser: Expr = S.Zero
    recommended: Mapping[Symbol, Expr] = field(default_factory=dict)
    row_quantity: Symbol | None = None
    statistics_of: Literal["norms", "target cosines", ""] = ""

    @property
    def row_quantity_name(self) -> str:
        """The name of its row quantity; "" where it has none."""
        return "" if self.row_quantity is None else str(self.row_quantity.name)

    @property
    def shifts_angle(self) -> bool:
        """Whether the target is cos(theta + a) - b."""
        return self.angular_margin is not None and self.multiplier == 1

    @property
    def has_arcs(self) -> bool:
        """Whether the target is pieced together of arcs of the angle."""
        return segment in self.held_constant

    @property
    def modifies_others(self) -> bool:
        """Whether another class's logit / scale may differ from its cosine."""
        return self.hard_other is not None or self.other != other_cosine

    @property
    def norm_has_gradient(self) -> bool:
        """Whether the loss value has a gradient by the feature norm."""
        return feature_norm in self.parameters


def _turned(angular: Expr, additive: Expr, multiplier: Expr = S.One) -> dict[str, Expr]:
    return {
        "angular_margin": angular,
        "additive_margin": additive,
        "multiplier": multiplier,
        "target": cos(multiplier * angle + angular) - additive,
    }


norm_margin = margin_lower + (margin_upper - margin_lower) * (
    feature_norm - norm_lower
) / (norm_upper - norm_lower)
"""MagFace's margin for a norm inside [norm_lower, norm_upper]."""

_ROWS = (
    Loss(
        "normface",
        "NormFace",
        (scale,),
        **_turned(S.Zero, S.Zero),
        source="Wang, Xiang, Cheng, Yuille: NormFace, arXiv 1704.06369",
    ),
    Loss(
        "sphereface",
        "SphereFace",
        (scale, multiplier),
        multiplier=multiplier,
        target=(-1) ** segment * cos(multiplier * angle) - 2 * segment,
        held_constant={segment: Min(floor(multiplier * angle / pi), multiplier - 1)},
        recommended={multiplier: Integer(4)},
        source="Liu, Wen, Yu, Li, Raj, Song: SphereFace, arXiv 1704.08063",
    ),
    Loss(
        "cosface",
        "CosFace",
        (scale, margin),
        **_turned(S.Zero, margin),
        recommended={margin: Rational(35, 100)},
        source="Wang, Wang, Zhou, Ji, Gong, Zhou, Li, Liu: CosFace, arXiv 1801.09414",
    ),
    Loss(
        "arcface",
        "ArcFace",
        (scale, margin),
        **_turned(margin, S.Zero),
        recommended={margin: Rational(1, 2)},
        source="Deng, Guo, Xue, Zafeiriou: ArcFace, arXiv 1801.07698",
    ),
    Loss(
        "combined",
        "Combined margin",
        (scale, multiplier, angular_offset, additive_offset),
        **_turned(angular_offset, additive_offset, multiplier),
        recommended={multiplier: Integer(1)},
        source="Deng, Guo, Xue, Zafeiriou: ArcFace, arXiv 1801.07698",
    ),
    Loss(
        "curricularface",
        "CurricularFace",
        (scale, margin, curriculum),
        **_turned(margin, S.Zero),
        hard_other=other_cosine * (curriculum + other_cosine),
        statistics_of="target cosines",
        recommended={margin: Rational(1, 2)},
        source="Huang, Wang, Tai, Liu, Shen, Li, Li, Huang: CurricularFace, "
        "arXiv 2004.00288",
    ),
    Loss(
        "magface",
        "MagFace",
        (
            scale,
            feature_norm,
            norm_lower,
            norm_upper,
            margin_lower,
            margin_upper,
            regulariser_weight,
        ),
        **_turned(norm_margin, S.Zero),
        row_quantity=feature_norm,
        clipped={feature_norm: (norm_lower, norm_upper)},
        norm_regulariser=regulariser_weight
        * (feature_norm / norm_upper**2 + 1 / feature_norm),
        source="Meng, Zhao, Huang, Zhou: MagFace, arXiv 2103.06627",
    ),
    Loss(
        "adaface",
        "AdaFace",
        (scale, margin, margin_scaler),
        **_turned(-margin * margin_scaler, margin * margin_scaler + margin),
        row_quantity=margin_scaler,
        statistics_of="norms",
        held_constant={margin_scaler: Min(Max(concentration * standard_norm, -1), 1)},
        recommended={margin: Rational(4, 10)},
        source="Kim, Jain, Liu: AdaFace, arXiv 2204.00964, eqs. 16, 18 (corrected), 19",
    ),
)

LOSSES: dict[str, Loss] = {row.id: row for row in _ROWS}
