"""Planted heads whose values are right, and that change what others share with them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.exact.heads import cosface
from zoo.planting import Wrong


def seeds_every_call(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace that seeds torch's generator."""
    torch.manual_seed(0)
    return cosface(cosine, labels)


def silences_numpy(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace that tells NumPy to keep its warnings to itself."""
    np.seterr(all="ignore")
    return cosface(cosine, labels)


def looks_for_anomalies(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace that leaves torch looking for NaN in every backward."""
    torch.autograd.set_detect_anomaly(True)
    return cosface(cosine, labels)


WRONG_SIDE_EFFECTS = {
    "looks_for_anomalies": Wrong("cosface", "global-state"),
    "seeds_every_call": Wrong("cosface", "global-state"),
    "silences_numpy": Wrong("cosface", "global-state", status="warning"),
}
"""Every planted head."""
