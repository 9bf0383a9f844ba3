"""Names the known fault that explains what a head does at the probe points."""

from __future__ import annotations

import numpy as np

from adaface_ref.faults import naming
from adaface_ref.faults.answers import answers_of
from adaface_ref.faults.naming import UNNAMED
from adaface_ref.faults.parts import Mask, Parts, Values, parts_of
from adaface_ref.gate.measured.identity import Probes

CORE = 0.999
"""Probes with a larger |cosine| belong to profiles, not to faults."""

COMPARED = ("logit", "other_logit", "slope", "gst", "other_gst")
"""What a head shows, as far as it can be seen."""


def likely_cause(probes: Probes) -> str:
    """Name the known fault that explains what a head does.

    Args:
        probes: the head's answers at the probe points.

    Returns:
        The fault's words, or that none is known.
    """
    parts = parts_at(probes)
    seen = probes.telling if probes.reading.observed else probes.shown
    core = seen & (np.abs(probes.rows.cosines).max(axis=1) < CORE)
    cause = naming.likely_cause(parts, lambda v: explains(probes, v), core)
    if cause != UNNAMED:
        return cause
    of_norms = probes.session.definition.statistics_of == "norms"
    if of_norms and "norms" in probes.rows.given:
        found = "with the statistics as they were found to be: see statistics-policy"
        return f"{UNNAMED}, {found}"
    return UNNAMED


def parts_at(probes: Probes) -> Parts:
    """What a head's values are made of at the probe points.

    Args:
        probes: the points.

    Returns:
        The parts, (N,) each.
    """
    rows, session = probes.rows, probes.session
    of_norms = session.definition.statistics_of == "norms"
    hold = session.hold if of_norms and "norms" in rows.given else None
    return parts_of(
        session.loss,
        rows.columns,
        rows.cosines[:, 0],
        rows.cosines[:, 1],
        unclipped=None if hold is None else hold.unclipped(rows.given["norms"]),
        spread=session.request.parameters.get("concentration", 1.0),
    )


def explains(probes: Probes, values: Values) -> Mask:
    """At which probes a head gives certain values.

    Args:
        probes: the head's answers.
        values: what is compared with them.

    Returns:
        (N,) of bool.
    """
    scale = probes.rows.columns["scale"]
    with np.errstate(over="ignore", invalid="ignore"):
        answers = answers_of(values, scale, values.other_logit)
    good = np.ones(len(scale), dtype=bool)
    for name in COMPARED:
        good &= probes.agrees(name, answers[name])
    return good
