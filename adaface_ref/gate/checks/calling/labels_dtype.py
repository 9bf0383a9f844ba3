"""Labels of another integer type are the same labels, or are refused.

Why: Data loaders give int32 labels. A head that takes them for something else
trains without a margin, or to wrong classes, and says nothing; an exception is honest.

Breaks: `if labels.dtype == torch.int64`, labels cast to a narrower integer.

Mend: labels.long() at the head's door.
"""

from __future__ import annotations

import torch

from adaface_ref.gate.checks.calling.ways import RUN, Way, judge_ways, run_with
from adaface_ref.gate.checks.needs import LABELS_ARE_NUMBERS, NOT_COMPILED
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import TrainingCall
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result

KINDS = (torch.int32, torch.int16)
"""Not uint8, by which torch indexes as by a mask."""


def _way(kind: torch.dtype) -> Way:
    def run(case: TrainingCall) -> torch.Tensor:
        return run_with(case, labels=case.given["labels"].to(kind))

    name = str(kind).removeprefix("torch.")
    return Way(f"with {name} labels", run, (f"labels = labels.to({kind})", RUN))


WAYS = tuple(map(_way, KINDS))


def judge(evidence: Evidence, claim: str) -> Result:
    """Run the head on narrower labels."""
    return judge_ways(evidence, claim, WAYS)


ROW = Row(judge, needs=(NOT_COMPILED, LABELS_ARE_NUMBERS))
