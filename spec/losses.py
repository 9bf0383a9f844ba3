"""The table of losses, all side by side.

A row gives the target logit and the other classes' logits, both divided by the scale,
as functions of the angle. Everything else in this package is derived from these rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, eq=False)
class Loss:
    """One margin-softmax loss.

    Args:
        id: its name in every interface.
        title: its name in print.
        parameters: what it takes besides cosines.
        target: target logit / scale, in the angle.
        source: where it is defined.
        angular_margin: a, where the target is cos(theta + a) - b; else None.
        additive_margin: b, likewise.
        other: logit / scale of another class.
        hard_other: the same for a class with other_cosine > target, if it differs.
        held_constant: what the gradient does not see, and what it stands for.
        clipped: inputs clipped to an interval before use.
        norm_regulariser: added to the loss value.
        recommended: recommended values that differ from the vocabulary's.
    """

    id: str
    title: str
    parameters: tuple[Symbol, ...]
    target: Expr
    source: str
    angular_margin: Expr | None = None
    additive_margin: Expr | None = None
    other: Expr = other_cosine
    hard_other: Expr | None = None
    held_constant: Mapping[Symbol, Expr] = field(default_factory=dict)
    clipped: Mapping[Symbol, tuple[Expr, Expr]] = field(default_factory=dict)
    norm_regulariser: Expr = S.Zero
    recommended: Mapping[Symbol, Expr] = field(default_factory=dict)


def _shifted(angular: Expr, additive: Expr) -> dict[str, Expr]:
    return {
        "angular_margin": angular,
        "additive_margin": additive,
        "target": cos(angle + angular) - additive,
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
        **_shifted(S.Zero, S.Zero),
        source="Wang, Xiang, Cheng, Yuille: NormFace, arXiv 1704.06369",
    ),
    Loss(
        "sphereface",
        "SphereFace",
        (scale, multiplier),
        target=(-1) ** segment * cos(multiplier * angle) - 2 * segment,
        held_constant={segment: Min(floor(multiplier * angle / pi), multiplier - 1)},
        recommended={multiplier: Integer(4)},
        source="Liu, Wen, Yu, Li, Raj, Song: SphereFace, arXiv 1704.08063",
    ),
    Loss(
        "cosface",
        "CosFace",
        (scale, margin),
        **_shifted(S.Zero, margin),
        recommended={margin: Rational(35, 100)},
        source="Wang, Wang, Zhou, Ji, Gong, Zhou, Li, Liu: CosFace, arXiv 1801.09414",
    ),
    Loss(
        "arcface",
        "ArcFace",
        (scale, margin),
        **_shifted(margin, S.Zero),
        recommended={margin: Rational(1, 2)},
        source="Deng, Guo, Xue, Zafeiriou: ArcFace, arXiv 1801.07698",
    ),
    Loss(
        "combined",
        "Combined margin",
        (scale, multiplier, angular_offset, additive_offset),
        target=cos(multiplier * angle + angular_offset) - additive_offset,
        recommended={multiplier: Integer(1)},
        source="Deng, Guo, Xue, Zafeiriou: ArcFace, arXiv 1801.07698",
    ),
    Loss(
        "curricularface",
        "CurricularFace",
        (scale, margin, curriculum),
        **_shifted(margin, S.Zero),
        hard_other=other_cosine * (curriculum + other_cosine),
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
        **_shifted(norm_margin, S.Zero),
        clipped={feature_norm: (norm_lower, norm_upper)},
        norm_regulariser=regulariser_weight
        * (feature_norm / norm_upper**2 + 1 / feature_norm),
        source="Meng, Zhao, Huang, Zhou: MagFace, arXiv 2103.06627",
    ),
    Loss(
        "adaface",
        "AdaFace",
        (scale, margin, margin_scaler),
        **_shifted(-margin * margin_scaler, margin * margin_scaler + margin),
        held_constant={margin_scaler: Min(Max(concentration * standard_norm, -1), 1)},
        recommended={margin: Rational(4, 10)},
        source="Kim, Jain, Liu: AdaFace, arXiv 2204.00964, eqs. 16, 18 (corrected), 19",
    ),
)

LOSSES: dict[str, Loss] = {row.id: row for row in _ROWS}
