"""Holds a head's running statistics still, where the gate can tell what they are.

AdaFace's buffers are set to a mean and a deviation between which norms reach every
margin scaler, CurricularFace's to the judged t; the head is put in eval mode.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.reading import Array

MEAN = 50.0
DEVIATION = 10.0
STD_EPS = 1e-3
"""Added to the deviation by the official AdaFace head."""
NORMS = (1.0, 99.0)
"""The norms that are given, clear of the official clip to [1e-3, 100]."""

POLICY = (
    f"z = (norm - mean) / (std + {STD_EPS:g}) for norms in [{NORMS[0]:g}, {NORMS[1]:g}]"
)
"""How margin scalers follow from norms."""


def prepare(
    loss: str, head: object, parameters: Mapping[str, float]
) -> dict[str, float]:
    """Set a head's running statistics, and keep them from moving.

    Args:
        loss: a loss id.
        head: the head; one that is no module, or has no such buffers, is left alone.
        parameters: the judged values.

    Returns:
        The buffers that were set, by name.
    """
    if not isinstance(head, torch.nn.Module):
        return {}
    buffers = dict(head.named_buffers())
    settings = {}
    for name in buffers:
        if loss == "adaface" and ("mean" in name or "std" in name):
            settings[name] = MEAN if "mean" in name else DEVIATION
        if loss == "curricularface" and name in ("curriculum", "t"):
            settings[name] = parameters["curriculum"]
    with torch.no_grad():
        for name, value in settings.items():
            buffers[name].fill_(value)
    if settings:
        head.eval()
    return settings


def moved(head: object, settings: Mapping[str, float]) -> str | None:
    """The name of a buffer that left its setting, or None."""
    buffers = dict(head.named_buffers()) if isinstance(head, torch.nn.Module) else {}
    for name, value in settings.items():
        setting = torch.full_like(buffers[name], value)
        if not torch.equal(buffers[name], setting):
            return name
    return None


def can_steer(settings: Mapping[str, float]) -> bool:
    """Whether buffers were set from which margin scalers follow."""
    return sorted(settings.values()) == [DEVIATION, MEAN]


def steer(margin_scaler: Array, concentration: float) -> Array:
    """The norms that give wanted margin scalers.

    Args:
        margin_scaler: (B,), in [-1, 1].
        concentration: h > 0.

    Returns:
        (B,) norms, in NORMS; for every other scaler at an end, one well past it.
    """
    reach = 1 + 0.5 * (np.arange(margin_scaler.size) % 2)
    steered = margin_scaler * np.where(np.abs(margin_scaler) >= 1, reach, 1.0)
    wanted = MEAN + steered * (DEVIATION + STD_EPS) / concentration
    return wanted.clip(*NORMS)


def scaler(norms: Array, concentration: float) -> Array:
    """The margin scalers that norms give.

    Args:
        norms: (B,) feature norms.
        concentration: h > 0.

    Returns:
        (B,), in [-1, 1].
    """
    return reference.margin_scaler(
        (norms - MEAN) / (DEVIATION + STD_EPS), concentration
    )
