"""The same request twice gets the same bits.

Why: A port whose answer hangs on what it answered before cannot be reproduced, and what
it is judged by says nothing about the next run.

Breaks: Memory that is not initialised, a buffer or running statistics kept between
requests, or a sum whose order changes from thread to thread.

Mend: Compute every answer from its request alone.
"""

from __future__ import annotations

from adaface_ref.ports.checks.results import other_bits, result_of
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.ports.comparison.findings import bits_finding
from adaface_ref.ports.comparison.questions import first_block
from adaface_ref.ports.pipe.port import values_of
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED
from adaface_ref.report.result import Result

WORDS = ("at first", "something in the port is not initialised, or is kept")
"""When the other answer was given, and the likely cause."""


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Ask one block twice in every dtype."""
    found, count, asker = [], 0, evidence.asker
    for dtype in asker.dtypes:
        columns = first_block(asker.cell, dtype, asker.seed)
        before, after = (values_of(asker.bits(columns, dtype), dtype) for _ in range(2))
        for quantity, got in after.items():
            count += got.size
            for index in other_bits(got, before[quantity])[:1].tolist():
                point = {name: float(column[index]) for name, column in columns.items()}
                pair = float(got[index]), float(before[quantity][index])
                place = (claim, asker.cell, dtype, quantity, point)
                found.append(bits_finding(*place, *pair, WORDS))
    return result_of(found, f"{count} values twice", FAILED)


ROW = Row(judge)
