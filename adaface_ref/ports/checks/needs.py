"""What checks need of a port and a loss, and what is said where it is lacking."""

from __future__ import annotations

from collections.abc import Callable

from adaface_ref.evidence.truth.agreement import quantities_of
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Need


def _announces(quantity: str) -> Callable[[PortEvidence], bool]:
    return lambda evidence: quantity in evidence.asker.quantities


ANNOUNCES_LOGIT = Need("the port announces no logit", _announces("logit"))
ANNOUNCES_SLOPE = Need("the port announces no slope", _announces("slope"))
ANNOUNCES_PROBABILITY = Need(
    "the port announces no probability", _announces("probability")
)
ANNOUNCES_GST = Need("the port announces no gst", _announces("gst"))
ANNOUNCES_OTHER_LOGIT = Need(
    "the port announces no other_logit", _announces("other_logit")
)
ANNOUNCES_OTHER_GST = Need("the port announces no other_gst", _announces("other_gst"))
ANNOUNCES_LOSS_VALUE = Need(
    "the port announces no loss_value", _announces("loss_value")
)
ANNOUNCES_NORM_GRADIENT = Need(
    "the port announces no norm_gradient", _announces("norm_gradient")
)
NORM_HAS_GRADIENT = Need[PortEvidence](
    "the loss gives the norm no gradient: MagFace alone does",
    lambda evidence: "norm_gradient" in quantities_of(evidence.asker.cell.loss),
)
