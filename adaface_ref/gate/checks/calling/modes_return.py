"""After train(), eval() and train() again the head gives what it gave at first.

Why: Every epoch ends with a validation. A head that eval() changes for good trains the
epochs after the first with another margin.

Breaks: train() or eval() overridden to set the margin, a cache that outlives the mode.

Mend: Read self.training in forward; leave train() alone.
"""

from __future__ import annotations

import torch

from adaface_ref.gate.checks.calling.ways import (
    Way,
    judge_ways,
    module_of,
    run_plainly,
)
from adaface_ref.gate.checks.needs import IS_MODULE, NOT_COMPILED
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import Direct
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def _in_mode(training: bool) -> Way:
    """A mode, then the other with a run in it, and back."""

    def plain(case: Direct) -> torch.Tensor:
        _set(case, training)
        return run_plainly(case)

    def returned(case: Direct) -> torch.Tensor:
        _set(case, not training)
        run_plainly(case)
        _set(case, training)
        return run_plainly(case)

    names = ("train", "eval") if training else ("eval", "train")
    here, there = (f"head.{name}()" for name in names)
    lines = (here, there, "run()", here, "value = run()")
    return Way(f"after {', '.join((here[5:], there[5:], here[5:]))}", returned, lines,
               plain)  # fmt: skip


def _set(case: Direct, training: bool) -> None:
    with calling("setting the head's mode"):
        module_of(case).train(training)


WAYS = (_in_mode(True), _in_mode(False))


def judge(evidence: Evidence, claim: str) -> Result:
    """Change the head's mode and change it back."""
    return judge_ways(evidence, claim, WAYS)


ROW = Row(judge, needs=(IS_MODULE, NOT_COMPILED))
