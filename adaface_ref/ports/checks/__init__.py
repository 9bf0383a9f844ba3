"""The checks of ports, in the order of the report."""

from __future__ import annotations

from adaface_ref.ports.checks import one_by_one, poles, protocol, repeatable
from adaface_ref.ports.checks.values import (
    loss_value,
    norm_gradient,
    other_gst,
    other_logit,
    probability,
    slope,
    target_gst,
    target_logit,
)
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.ports.pipe.conversation import Conversation
from adaface_ref.report.catalogue import Check, join_checks
from adaface_ref.report.result import Result

CONVERSATION_CHECKS: tuple[Check[Conversation, Result], ...] = join_checks(protocol)
"""On the port as a whole."""

CHECKS: tuple[Check[PortEvidence, Result], ...] = join_checks(
    target_logit,
    slope,
    probability,
    target_gst,
    other_logit,
    other_gst,
    loss_value,
    norm_gradient,
    poles,
    repeatable,
    one_by_one,
)
"""On each cell: a loss under a profile."""
