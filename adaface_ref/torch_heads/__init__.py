"""The losses on tensors: closed forms, logits to train on, and nn.Module heads.

The one door to the torch form of the truth. CPU and CUDA; float64, 32, 16 and bfloat16;
every function and every head compiles with torch.compile(fullgraph=True).
"""

from __future__ import annotations

from adaface_ref.torch_heads.arguments import PROFILES, Profile, parse_profile
from adaface_ref.torch_heads.closed_forms import (
    gst,
    logit,
    loss_value,
    norm_gradient,
    other_gst,
    other_logit,
    probability,
    rival_cosine,
    slope,
)
from adaface_ref.torch_heads.logits import margin_logits
from adaface_ref.torch_heads.losses import LOSSES, PARAMETERS
from adaface_ref.torch_heads.modules import (
    DEFAULTS,
    HEADS,
    AdaFace,
    ArcFace,
    Combined,
    CosFace,
    CurricularFace,
    MagFace,
    MarginHead,
    NormFace,
    SphereFace,
)

__all__ = [
    "DEFAULTS",
    "HEADS",
    "LOSSES",
    "PARAMETERS",
    "PROFILES",
    "AdaFace",
    "ArcFace",
    "Combined",
    "CosFace",
    "CurricularFace",
    "MagFace",
    "MarginHead",
    "NormFace",
    "Profile",
    "SphereFace",
    "gst",
    "logit",
    "loss_value",
    "margin_logits",
    "norm_gradient",
    "other_gst",
    "other_logit",
    "parse_profile",
    "probability",
    "rival_cosine",
    "slope",
]
