"""An outside rule that the house does not have, as somebody would add it.

Past theta = pi - a ArcFace's target is held at -1, the formula's least value. What
stands here is all that a new rule is: its pieces and its row in each form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sympy import Integer, cos, pi
from torch import Tensor

from adaface_ref import torch_heads
from adaface_ref.numpy_reference import arguments as numpy_arguments
from adaface_ref.numpy_reference import losses as numpy_losses
from adaface_ref.numpy_reference import rules as numpy_rules
from adaface_ref.numpy_reference.rules import Angle, Margins, Target
from adaface_ref.spec import profiles as spec_profiles
from adaface_ref.spec.losses import Loss
from adaface_ref.spec.profiles import Piece, Rule
from adaface_ref.spec.symbols import angle
from adaface_ref.torch_heads import arguments as torch_arguments
from adaface_ref.torch_heads import losses as torch_losses
from adaface_ref.torch_heads.rules import Cosine
from adaface_ref.torch_heads.rules import Piece as TorchPiece

ID = "held"


# The spec: ordered pieces, and a row.


def spec_pieces(loss: Loss) -> tuple[Piece, ...]:
    """The formula where c > cos(pi - a), else -1."""
    return (
        Piece((cos(angle) - cos(pi - loss.angular_margin),), loss.target),
        Piece((), Integer(-1), name="held"),
    )


SPEC_ROW = Rule(
    ID,
    "Past theta = pi - a the formula's least value, -1.",
    "nowhere",
    spec_pieces,
    only=("arcface",),
    leaves_at="theta = pi - a",
)

# The NumPy reference and torch: the same, each in its own words.


def numpy_piece(at: Angle, margins: Margins) -> Target:
    """The formula where c > cos(pi - a), else -1."""
    plain = numpy_rules.formula(at, margins)
    core = at.cosine > -np.cos(margins.angular)
    value, slope, _ = plain
    return Target(np.where(core, value, -1.0), np.where(core, slope, 0.0))


def torch_piece(
    cosine: Cosine, margin: Tensor, multiplier: Tensor, angle_clip: float
) -> TorchPiece:
    """The formula where c > cos(pi - a), else -1."""
    pure = torch_losses.LOSSES["arcface"].rules["pure"]
    value, slope, by_margin = pure(cosine, margin, multiplier, angle_clip)
    inside = cosine.value > -margin.cos()
    return TorchPiece(
        torch.where(inside, value, -1.0),
        torch.where(inside, slope, 0.0),
        torch.where(inside, by_margin, 0.0),
    )


def add(put: Callable[[Any, str, Any], None]) -> None:
    """Put every row in its table.

    Args:
        put: called with a table, a key and a row.
    """
    put(spec_profiles.RULES, ID, SPEC_ROW)
    put(numpy_arguments.RULES, ID, numpy_arguments.Profile(ID))
    put(numpy_losses.LOSSES["arcface"].pieces, ID, numpy_piece)
    put(torch_arguments.PROFILES, ID, torch_arguments.Profile(ID))
    put(torch_losses.LOSSES["arcface"].rules, ID, torch_piece)


@pytest.fixture
def held_rule(monkeypatch: pytest.MonkeyPatch) -> str:
    """The rule's id, while it is in the tables."""
    add(monkeypatch.setitem)
    return ID


def head(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace held at -1."""
    return torch_heads.margin_logits(
        "arcface", cosine, labels, profile=ID, scale=64.0, margin=0.5
    )
