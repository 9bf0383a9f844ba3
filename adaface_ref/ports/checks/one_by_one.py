"""A point by itself gets the same bits as in a batch.

Why: Rows of a batch are independent in every margin loss but for running statistics,
which a port is given. Where they are not, a value is right or wrong by its neighbours.

Breaks: A parameter read once for all points, an index that runs over; and, as a warning
where both answers are right to rounding, vector code that rounds otherwise than what is
left over for scalar code.

Mend: Read each parameter at its own point; for equal bits compute single points by the
same vector code.
"""

from __future__ import annotations

import numpy as np

from adaface_ref.evidence.truth.agreement import judge as judge_points
from adaface_ref.ports.checks.results import other_bits, result_of
from adaface_ref.ports.checks.values.comparison import DEPENDENT
from adaface_ref.ports.comparison.asker import Asker
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.ports.comparison.findings import bits_finding
from adaface_ref.ports.comparison.questions import Columns, first_block, point_at
from adaface_ref.ports.comparison.values import extra_allowance
from adaface_ref.ports.pipe.bits import decode
from adaface_ref.ports.pipe.port import values_of
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, WARNING, Finding
from adaface_ref.report.result import Result

PLACES = 20
"""So many points are asked one by one."""

ROUNDING = "vector and scalar code round differently"


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Ask some points of a block one by one in every dtype."""
    found: list[Finding] = []
    count, wrong, asker = 0, False, evidence.asker
    for dtype in asker.dtypes:
        columns = first_block(asker.cell, dtype, asker.seed)
        batch = values_of(asker.bits(columns, dtype), dtype)
        last = columns["target_cosine"].size - 1
        places = np.unique(np.linspace(0, last, PLACES).astype(int))
        singles = [asker.bits(point_at(columns, place), dtype) for place in places]
        count += len(places) * len(batch)
        for quantity, before in batch.items():
            got = np.concatenate([decode(bits[quantity], dtype) for bits in singles])
            for index in other_bits(got, before[places])[:1].tolist():
                place = int(places[index])
                pair = float(got[index]), float(before[place])
                off = _is_off(asker, quantity, dtype, columns, place, pair[0])
                wrong |= off
                words = ("in the batch", DEPENDENT if off else ROUNDING)
                point = {name: float(column[place]) for name, column in columns.items()}
                ask = (claim, asker.cell, dtype, quantity, point)
                found.append(bits_finding(*ask, *pair, words))
    return result_of(found, f"{count} values", FAILED if wrong else WARNING)


def _is_off(
    asker: Asker, quantity: str, dtype: str, columns: Columns, place: int, got: float
) -> bool:
    """Whether a value is wrong, and not just rounded otherwise."""
    point, question = point_at(columns, place), asker.question(quantity, dtype)
    more = extra_allowance(question, point)
    judged = judge_points(question, point, [got], certify_all=True, beyond=more)
    return bool(judged.failures)


ROW = Row(
    judge,
    severity={
        "error": "where the value by itself is wrong",
        "warning": "where it is right to rounding",
    },
)
