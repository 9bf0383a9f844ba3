"""Names the known fault that explains what a head does at the probe points."""

from __future__ import annotations

import numpy as np

from adaface_ref.faults.parts import Mask, Parts, Values, parts_of, right
from adaface_ref.faults.rows import FAULTS, Fault
from adaface_ref.gate.measured.identity import Probes

CORE = 0.999
"""Probes with a larger |cosine| belong to profiles, not to faults."""

SHARE = 0.9
"""Share of the core's probes that a fault must explain."""

RIGHT_CORE = "the core is right: look at where this point lies"

UNNAMED = "no known fault gives these values"


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
    best, words = _share(probes, parts, Fault("", "", right), core), RIGHT_CORE
    for fault in faults_of(parts):
        share = _share(probes, parts, fault, core)
        if share > best:
            best, words = share, fault.words
    if best >= SHARE:
        return words
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


def faults_of(parts: Parts) -> list[Fault]:
    """The faults that a loss can have.

    Args:
        parts: what its values are made of.

    Returns:
        Rows of FAULTS.
    """
    return [f for f in FAULTS if not f.needs or f.needs in parts.columns]


def _share(probes: Probes, parts: Parts, fault: Fault, core: Mask) -> float:
    """The share of the core's probes that a fault explains."""
    with np.errstate(all="ignore"):
        explained = explains(probes, fault.values(parts))
    return float(explained[core].mean()) if core.any() else 0.0


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
        odds = 1 / (1 + np.exp(values.logit - values.other_logit))
        weight = -odds if values.weight is None else values.weight
        wanted = {
            "logit": values.logit,
            "other_logit": values.other_logit,
            "slope": values.slope / scale,
            "gst": weight * values.slope,
            "other_gst": odds * values.other_slope,
        }
    good = np.ones(len(scale), dtype=bool)
    for name, want in wanted.items():
        good &= probes.agrees(name, want)
    return good
