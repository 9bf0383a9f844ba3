"""Nothing is NaN at c = +-1: a value there is the one-sided limit.

Why: A cosine of a normalised embedding and its class weight rounds to 1 for easy
samples, and one NaN in a gradient spoils a training run. The limits are certified; an
infinite one is an answer, too.

Breaks: 0 times infinity, where 1 - P as a difference is exactly 0, or a root of less
than 0 under 1 - c*c.

Mend: Take 1 - P from 1 / (1 + exp(x)), the sine from sqrt((1 - c)(1 + c)), and give 0
or the limit where the sine is 0.
"""

from __future__ import annotations

import numpy as np

from adaface_ref.ports.checks.results import result_of
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.ports.comparison.findings import pole_finding
from adaface_ref.ports.comparison.questions import pole_points
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Ask about both poles in every dtype."""
    found, count, asker = [], 0, evidence.asker
    for dtype in asker.dtypes:
        columns = pole_points(asker.cell, dtype)
        values = asker.values(columns, dtype, asker.quantities)
        for quantity, got in values.items():
            count += got.size
            for index in np.flatnonzero(np.isnan(got))[:1].tolist():
                point = {name: float(column[index]) for name, column in columns.items()}
                found.append(pole_finding(claim, asker.cell, dtype, quantity, point))
    return result_of(found, f"{count} values at c = +-1", FAILED)


ROW = Row(judge)
