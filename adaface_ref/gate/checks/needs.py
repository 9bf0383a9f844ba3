"""What checks need of a head and a machine, and what is said where it is lacking."""

from __future__ import annotations

import shutil

import torch

from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.settings_tried import varied
from adaface_ref.gate.session.fresh_head import fresh_head_of
from adaface_ref.report.catalogue import Need

COMPILERS = ("c++", "g++", "clang++", "clang", "gcc", "cl")
"""Compilers that torch.compile can use for a CPU."""


def _makes_statistics(evidence: Evidence) -> bool:
    session = evidence.session
    own = session.definition.row_quantity_name
    given = not own or own in session.door.takes
    return session.policy is not None or not given


def _steers_statistics(evidence: Evidence) -> bool:
    policy = evidence.session.policy
    return policy is not None and policy.steerable


def _holds_statistics(evidence: Evidence) -> bool:
    session = evidence.session
    of_norms = session.definition.statistics_of == "norms"
    return not of_norms or session.hold is not None


def _finds_compiler(evidence: Evidence) -> bool:
    return evidence.session.device != "cpu" or any(map(shutil.which, COMPILERS))


def _is_compiled(head: object) -> bool:
    return hasattr(head, "_torchdynamo_orig_callable") or hasattr(head, "_orig_mod")


FITS_A_PROFILE = Need[Evidence](
    "the head fits no profile", lambda evidence: evidence.identity.fits
)
IS_ATTACHED = Need[Evidence](
    "the slope is detached",
    lambda evidence: "detached" not in evidence.session.profile,
)
SHOWS_LOGITS = Need[Evidence](
    "the head gives a loss, and its logits cannot be seen",
    lambda evidence: evidence.session.door.shows_logits,
)
HAS_LOSS = Need[Evidence](
    "the head gives logits, and no loss",
    lambda evidence: evidence.probes.reading.loss_gradient is not None,
)
REACHES_POLES = Need[Evidence](
    "a black box cannot be given a cosine of +-1, or more: sum c^2 must be below 1",
    lambda evidence: not evidence.session.door.black_box,
)
OWNS_COSINES = Need[Evidence](
    "the head is given cosines, it has no weights",
    lambda evidence: evidence.session.door.owns_cosines,
)
GIVEN_COSINES = Need[Evidence](
    "the head makes its own cosines",
    lambda evidence: not evidence.session.door.owns_cosines,
)
IS_MODULE = Need[Evidence](
    "the head is no module, it has no eval mode",
    lambda evidence: isinstance(
        fresh_head_of(evidence.session).opened.head, torch.nn.Module
    ),
)
NOT_COMPILED = Need[Evidence](
    "the head is compiled, and each way of calling or setting would compile it anew",
    lambda evidence: not _is_compiled(fresh_head_of(evidence.session).opened.head),
)
LABELS_ARE_NUMBERS = Need[Evidence](
    "the head takes labels as rows of 0 and 1",
    lambda evidence: not evidence.session.door.form.one_hot,
)
TAKES_SETTINGS = Need[Evidence](
    "no argument of the head sets a parameter of the loss",
    lambda evidence: bool(varied(evidence.session)),
)
TURNS_THE_TARGET = Need[Evidence](
    "the loss's target is not cos(theta + a) - b, for which alone it is stated",
    lambda evidence: (
        evidence.session.definition.shifts_angle
        and not evidence.session.definition.modifies_others
    ),
)
USES_NORM = Need[Evidence](
    "the loss takes no account of norms",
    lambda evidence: evidence.session.definition.row_quantity is not None,
)
TAKES_NORMS = Need[Evidence](
    "the head takes no norms",
    lambda evidence: "norms" in evidence.session.door.takes,
)
MARGIN_FOLLOWS_NORMS = Need[Evidence](
    "the head is given its margin scaler beside the norms",
    lambda evidence: "margin_scaler" not in evidence.session.door.takes,
)
HOLDS_STATISTICS = Need[Evidence](
    "the head's statistics cannot be held still", _holds_statistics
)
LOSS_KEEPS_STATISTICS = Need[Evidence](
    "the loss keeps no running statistics",
    lambda evidence: bool(evidence.session.definition.statistics_of),
)
MAKES_STATISTICS = Need[Evidence](
    "the head is given its statistics and keeps none", _makes_statistics
)
KEEPS_STATISTICS = Need[Evidence](
    "the head keeps no number that follows the norms",
    lambda evidence: evidence.session.policy is not None,
)
STEERS_STATISTICS = Need[Evidence](
    "the head keeps no mean and std, or t: see statistics-policy", _steers_statistics
)
CUDA = Need[Evidence](
    "this machine has no CUDA device", lambda _: torch.cuda.is_available()
)
COMPILER = Need[Evidence]("torch.compile finds no C++ compiler here", _finds_compiler)
