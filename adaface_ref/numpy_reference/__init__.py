"""The float64 reference: every quantity, written from the papers in stable form.

Written on its own: three forms agree to some purpose only if they share nothing. With
F the margined target cosine, G another class's cosine after its loss and n the rival
cosine, x = s (F - n) and P = 1/(1 + e^-x). All functions take scalars or arrays that
broadcast, return float64, and take as keywords `profile` ("pure" unless given) and
every one of PARAMETERS[loss]. At c = +-1 a slope is its one-sided limit. They raise
DomainError for a value outside its domain, an undefined cell and a missing or unknown
parameter, and ShapeError for shapes that do not broadcast.

Sources: F. Wang et al., NormFace (arXiv 1704.06369); W. Liu et al., SphereFace (arXiv
1704.08063); H. Wang et al., CosFace (arXiv 1801.09414); J. Deng et al., ArcFace (arXiv
1801.07698, also the combined margin); Y. Huang et al., CurricularFace (arXiv
2004.00288); Q. Meng et al., MagFace (arXiv 2103.06627); M. Kim, A. K. Jain, X. Liu,
AdaFace (arXiv 2204.00964: logit eq. 18, with g_add inside the scale; margins eq. 19).
"""

from __future__ import annotations

from adaface_ref.numpy_reference.arguments import RULES, Profile, parse_profile
from adaface_ref.numpy_reference.batches import Batch, batch
from adaface_ref.numpy_reference.losses import DEFINED, LOSSES, PARAMETERS, RECOMMENDED
from adaface_ref.numpy_reference.quantities import (
    gst,
    logit,
    loss_value,
    margin_scaler,
    norm_gradient,
    other_gst,
    other_logit,
    probability,
    rival_cosine,
    slope,
)

__all__ = [
    "DEFINED",
    "LOSSES",
    "PARAMETERS",
    "RECOMMENDED",
    "RULES",
    "Batch",
    "Profile",
    "batch",
    "gst",
    "logit",
    "loss_value",
    "margin_scaler",
    "norm_gradient",
    "other_gst",
    "other_logit",
    "parse_profile",
    "probability",
    "rival_cosine",
    "slope",
]
