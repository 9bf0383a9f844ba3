"""How the inputs lie in memory changes nothing.

Why: Features come transposed from a convolution, as every second column of a larger
table, or as one row expanded. A head that reads the memory and not the tensor mixes up
rows and entries, or is right on contiguous inputs alone.

Breaks: view and as_strided with sizes of one's own, data_ptr handed to a kernel,
writing in place into an expanded tensor.

Mend: reshape in place of view; .contiguous() before a kernel of one's own.
"""

from __future__ import annotations

import torch

from adaface_ref.gate.checks.calling.ways import RUN, Way, judge_ways, leaf_of, run_with
from adaface_ref.gate.checks.needs import NOT_COMPILED
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import TrainingCall
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def _transposed(case: TrainingCall) -> torch.Tensor:
    name, leaf = leaf_of(case)
    return run_with(case, **{name: leaf.t().contiguous().t()})


def _strided(case: TrainingCall) -> torch.Tensor:
    name, leaf = leaf_of(case)
    return run_with(case, **{name: leaf.repeat_interleave(2, dim=1)[:, ::2]})


def _expanded(case: TrainingCall) -> torch.Tensor:
    name, leaf = leaf_of(case)
    return run_with(case, **{name: leaf[:1].expand_as(leaf)})


def _repeated(case: TrainingCall) -> torch.Tensor:
    name, leaf = leaf_of(case)
    return run_with(case, **{name: leaf[:1].repeat(len(leaf), 1)})


def _lines(text: str) -> tuple[str, ...]:
    return (f"{{leaf}} = leaf.{text}", RUN)


WAYS = (
    Way("on transposed storage", _transposed, _lines("t().contiguous().t()")),
    Way("on every second column", _strided,
        _lines("repeat_interleave(2, dim=1)[:, ::2]")),
    Way("on one row expanded", _expanded,
        _lines("narrow(0, 0, 1).expand_as(leaf)"), _repeated),
)  # fmt: skip


def judge(evidence: Evidence, claim: str) -> Result:
    """Run the head on inputs that are not contiguous."""
    return judge_ways(evidence, claim, WAYS)


ROW = Row(judge, needs=(NOT_COMPILED,))
