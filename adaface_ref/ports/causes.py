"""Names the known fault that explains what a port answers, as the gate does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from adaface_ref import numpy_reference
from adaface_ref.evidence.truth.agreement import parameters_of
from adaface_ref.faults.parts import Mask, Parts, Values, parts_of, right
from adaface_ref.gate.measured.cause import RIGHT_CORE, SHARE, UNNAMED, faults_of
from adaface_ref.points import block
from adaface_ref.ports.ask import Columns
from adaface_ref.ports.pipe.bits import Floats
from adaface_ref.ports.pipe.protocol import RefusedError
from adaface_ref.ports.values import Asker

SIZE = 2000

CORE = 0.99
"""Points with a larger |cosine| belong to profiles, not to faults."""

NEAR = {"float64": 1e-9, "float32": 1e-3}
"""How near to a fault's value an answer lies, as a share of s + |value|."""

TELLING = ("logit", "slope", "gst", "other_logit")
"""What a fault is told by, as far as the port announces it."""


def likely_cause(asker: Asker, dtype: str) -> str:
    """Name the known fault that explains a port.

    Args:
        asker: the port and the cell.
        dtype: in which it fails.

    Returns:
        The fault's words, or that none is known.

    Raises:
        PortError: the port failed.
    """
    loss, profile = asker.cell
    asked = tuple(q for q in TELLING if q in asker.quantities)
    if "detached" in profile:
        asked = tuple(q for q in asked if q.endswith("logit"))
    if not asked:
        return UNNAMED
    columns = block(loss, asker.seed, profile=profile, size=SIZE, dtype=dtype)
    try:
        got = asker.values(columns, dtype, asked)
    except RefusedError:
        return UNNAMED
    core = _core(loss, profile, columns)
    parts = parts_of(
        loss,
        {name: columns[name] for name in parameters_of(loss)},
        columns["target_cosine"],
        columns["other_cosine"],
    )
    best = _share(got, columns, _values(right, parts), dtype, core)
    words = RIGHT_CORE
    for fault in faults_of(parts):
        share = _share(got, columns, _values(fault.values, parts), dtype, core)
        if share > best:
            best, words = share, fault.words
    return words if best >= SHARE else UNNAMED


def _core(loss: str, profile: str, columns: Columns) -> Mask:
    """Where the profile does not depart from the formula, away from the poles."""
    given = {name: columns[name] for name in parameters_of(loss)}
    cosine = columns["target_cosine"]
    logits = [
        numpy_reference.logit(loss, cosine, profile=p, **given)
        for p in (profile, "pure")
    ]
    near = np.abs(logits[0] - logits[1]) <= 1e-9 * columns["scale"]
    far = np.maximum(np.abs(cosine), np.abs(columns["other_cosine"])) < CORE
    return np.asarray(near & far)


def _values(values: Callable[[Parts], Values], parts: Parts) -> Values:
    with np.errstate(all="ignore"):
        return values(parts)


def _share(
    got: Mapping[str, Floats],
    columns: Columns,
    values: Values,
    dtype: str,
    core: Mask,
) -> float:
    """The share of the core's points that some values explain."""
    scale = columns["scale"]
    with np.errstate(all="ignore"):
        odds = 1 / (1 + np.exp(values.logit - scale * columns["rival_cosine"]))
        weight = -odds if values.weight is None else values.weight
        wanted = {
            "logit": values.logit,
            "slope": values.slope / scale,
            "gst": weight * values.slope,
            "other_logit": values.other_logit,
        }
        good = core
        for name, found in got.items():
            size = NEAR[dtype] * (scale + np.abs(wanted[name]))
            good = good & (np.abs(found - wanted[name]) <= size)
    return float(good.sum() / core.sum()) if core.any() else 0.0
