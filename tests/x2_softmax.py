"""A loss that the house does not have, as somebody would add it: X2-Softmax.

Its target is s (a (theta - h)^2 + k), which is no cos(k theta + a) - b. What stands
here is all that a new loss is: its quantities, domains and row in each form, and the
head. `added` puts them in the tables, as lines in the files themselves would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sympy import Integer, Interval, Rational, Symbol, pi
from torch import Tensor

from adaface_ref import torch_heads
from adaface_ref.numpy_reference import arguments as numpy_arguments
from adaface_ref.numpy_reference import losses as numpy_losses
from adaface_ref.numpy_reference.arguments import Parameters
from adaface_ref.numpy_reference.rules import Angle, Target
from adaface_ref.spec import losses as spec_losses
from adaface_ref.spec.losses import Loss
from adaface_ref.spec.symbols import QUANTITIES, Quantity, angle, scale
from adaface_ref.torch_heads import arguments as torch_arguments
from adaface_ref.torch_heads import losses as torch_losses
from adaface_ref.torch_heads import modules as torch_modules
from adaface_ref.torch_heads.rules import Cosine, Piece

ID = "x2softmax"

# The spec: quantities and a row.

curvature, vertex, level = (
    Symbol(name, real=True) for name in ("curvature", "vertex", "level")
)

SPEC_QUANTITIES = (
    Quantity(
        *(curvature, "a", "curvature of the parabola", "1", Interval(-1, 0)),
        recommended=Rational(-1, 4),
        occurs=(-0.5, -0.05),
    ),
    Quantity(
        *(vertex, "h", "angle of the parabola's vertex", "rad"),
        domain=Interval(-pi / 2, 0),
        recommended=Rational(-3, 10),
        occurs=(-1.5, 0.0),
    ),
    Quantity(
        *(level, "k", "logit / scale at the vertex", "cosine", Interval(0, 2)),
        recommended=Integer(1),
    ),
)

SPEC_ROW = Loss(
    ID,
    "X2-Softmax",
    (scale, curvature, vertex, level),
    target=curvature * (angle - vertex) ** 2 + level,
    source="Xu, Liu, Zhang, Xiao, Wu: X2-Softmax, arXiv 2312.05281",
)

# The NumPy reference: domains and a row.

NUMPY_DOMAINS: dict[str, numpy_arguments.Domain] = {
    "curvature": (lambda v: (v >= -1) & (v <= 0), "in [-1, 0]"),
    "vertex": (lambda v: (v >= -np.pi / 2) & (v <= 0), "in [-pi/2, 0]"),
    "level": (lambda v: (v >= 0) & (v <= 2), "in [0, 2]"),
}


def numpy_parabola(at: Angle, p: Parameters) -> Target:
    """a (theta - h)^2 + k; where sin(theta) is 0, D is infinite unless theta is h."""
    gap = np.arctan2(at.sine, at.cosine) - p["vertex"]
    slope = np.where(
        (gap == 0) | (p["curvature"] == 0),
        -2 * p["curvature"],
        -2 * p["curvature"] * gap / at.sine,
    )
    return Target(p["curvature"] * gap**2 + p["level"], np.asarray(slope))


NUMPY_ROW = numpy_losses.Row(
    {"scale": 64.0, "curvature": -0.25, "vertex": -0.3, "level": 1.0},
    lambda p: p,
    {"pure": numpy_parabola},
)

# Torch: domains, a row, a head and its defaults.

TORCH_DOMAINS = {
    "curvature": torch_arguments.Domain("in [-1, 0]", lambda x: (x >= -1) & (x <= 0)),
    "vertex": torch_arguments.Domain(
        "in [-pi/2, 0]", lambda x: (x >= -torch.pi / 2) & (x <= 0)
    ),
    "level": torch_arguments.Domain("in [0, 2]", lambda x: (x >= 0) & (x <= 2)),
}


def torch_parabola(cosine: Cosine, h: Tensor, a: Tensor, _: float) -> Piece:
    """a (theta - h)^2, and its derivatives by the cosine and by h."""
    gap = torch.atan2(cosine.sine, cosine.value) - h
    flat = (gap == 0) | (a == 0)
    slope = torch.where(flat, -2 * a, -2 * a * gap / cosine.sine)
    return Piece(a * gap**2, slope, -2 * a * gap)


TORCH_ROW = torch_losses.Loss(
    ("scale", "curvature", "vertex", "level"),
    {"pure": torch_parabola},
    angular=lambda values: values["vertex"],
    additive=lambda values: -values["level"],
    multiplier=lambda values: values["curvature"],
)


class X2Softmax(torch_heads.MarginHead):
    """s (a (theta - h)^2 + k)."""

    loss = ID


TORCH_DEFAULTS: dict[str, Any] = {
    "scale": 64.0,
    "curvature": -0.25,
    "vertex": -0.3,
    "level": 1.0,
}


def add(put: Callable[[Any, str, Any], None]) -> None:
    """Put every row in its table.

    Args:
        put: called with a table, a key and a row.
    """
    for quantity in SPEC_QUANTITIES:
        put(QUANTITIES, quantity.name, quantity)
    put(spec_losses.LOSSES, ID, SPEC_ROW)
    for name, numpy_domain in NUMPY_DOMAINS.items():
        put(numpy_arguments.DOMAINS, name, numpy_domain)
    put(numpy_losses.LOSSES, ID, NUMPY_ROW)
    for name, torch_domain in TORCH_DOMAINS.items():
        put(torch_arguments.DOMAINS, name, torch_domain)
    put(torch_losses.LOSSES, ID, TORCH_ROW)
    put(torch_modules.DEFAULTS, ID, TORCH_DEFAULTS)
    put(torch_modules.HEADS, ID, X2Softmax)


@pytest.fixture
def x2_softmax(monkeypatch: pytest.MonkeyPatch) -> str:
    """The loss's id, while it is in the tables."""
    add(monkeypatch.setitem)
    return ID


def exact(cosine: Tensor, labels: Tensor) -> Tensor:
    """Logits to train on, without a mistake."""
    return torch_heads.margin_logits(ID, cosine, labels, **TORCH_DEFAULTS)


def wrong_vertex(cosine: Tensor, labels: Tensor) -> Tensor:
    """The parabola's vertex on the other side: too small a gap."""
    a, h, k = -0.25, 0.3, 1.0
    own = torch.nn.functional.one_hot(labels, cosine.shape[1]).bool()
    theta = torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))
    return 64 * torch.where(own, a * (theta - h) ** 2 + k, cosine)


def without_margin(cosine: Tensor, labels: Tensor) -> Tensor:
    """Plain softmax."""
    return 64 * cosine
