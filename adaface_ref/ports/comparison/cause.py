"""Names the known fault that explains what a port answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adaface_ref import numpy_reference
from adaface_ref.evidence.truth.agreement import parameters_of
from adaface_ref.faults import naming
from adaface_ref.faults.answers import answers_of
from adaface_ref.faults.naming import UNNAMED
from adaface_ref.faults.parts import Mask, Values, parts_of
from adaface_ref.points import block
from adaface_ref.ports.comparison.asker import Asker
from adaface_ref.ports.comparison.questions import Columns
from adaface_ref.ports.pipe.bits import Floats
from adaface_ref.ports.pipe.protocol import RefusedError

SIZE = 2000

CORE = 0.99
"""Points with a larger |cosine| belong to profiles, not to faults."""

NEAR = {"float64": 1e-9, "float32": 1e-3}
"""How near to a fault's value an answer lies, as a share of s + |value|."""

COMPARED = ("logit", "slope", "gst", "other_logit")
"""By what a fault shows, as far as the port announces it."""


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
    quantities = tuple(q for q in COMPARED if q in asker.quantities)
    if "detached" in profile:
        quantities = tuple(q for q in quantities if q.endswith("logit"))
    if not quantities:
        return UNNAMED
    columns = block(loss, asker.seed, profile=profile, size=SIZE, dtype=dtype)
    try:
        got = asker.values(columns, dtype, quantities)
    except RefusedError:
        return UNNAMED
    parts = parts_of(
        loss,
        {name: columns[name] for name in parameters_of(loss)},
        columns["target_cosine"],
        columns["other_cosine"],
    )
    core = _core(loss, profile, columns)
    return naming.likely_cause(
        parts, lambda values: _explains(values, got, columns, dtype), core
    )


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


def _explains(
    values: Values, got: Mapping[str, Floats], columns: Columns, dtype: str
) -> Mask:
    """At which points a port answers certain values."""
    scale = columns["scale"]
    answers = answers_of(values, scale, scale * columns["rival_cosine"])
    good = np.ones(scale.size, dtype=bool)
    for name, found in got.items():
        near = NEAR[dtype] * (scale + np.abs(answers[name]))
        good &= np.abs(found - answers[name]) <= near
    return good
