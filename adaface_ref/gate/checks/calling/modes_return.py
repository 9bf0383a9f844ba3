"""After train(), eval() and train() again the head gives what it gave at first.

Why: Every epoch ends with a validation. A head that eval() changes for good trains the
epochs after the first with another margin, or not at all; one that keeps what it made
of its weights validates with old ones.

Breaks: train() or eval() overridden to set the margin or to freeze the weights, unit
weights kept from one validation to the next.

Mend: Read self.training in forward; leave train() and eval() alone; normalise anew.
"""

from __future__ import annotations

import torch

from adaface_ref.gate.checks.calling.ways import (
    MOVED,
    RUN,
    Way,
    judge_ways,
    move_weights,
    run_as_it_is,
    run_plainly,
    set_mode,
)
from adaface_ref.gate.checks.needs import IS_MODULE, NOT_COMPILED
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import TrainingCall
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def _in_mode(training: bool) -> Way:
    """A mode, then the other with a run in it, and back."""

    def plain(case: TrainingCall) -> torch.Tensor:
        set_mode(case, training)
        return run_plainly(case)

    def returned(case: TrainingCall) -> torch.Tensor:
        set_mode(case, not training)
        run_plainly(case)
        set_mode(case, training)
        return run_plainly(case)

    names = ("train", "eval") if training else ("eval", "train")
    here, there = (f"head.{name}()" for name in names)
    lines = (here, there, "run()", here, RUN)
    return Way(f"after {', '.join((here[5:], there[5:], here[5:]))}", returned, lines,
               plain)  # fmt: skip


def _validated(case: TrainingCall) -> torch.Tensor:
    set_mode(case, training=False)
    with torch.no_grad():
        return run_as_it_is(case)


def _moved_first(case: TrainingCall) -> torch.Tensor:
    move_weights(case)
    return _validated(case)


def _moved_later(case: TrainingCall) -> torch.Tensor:
    _validated(case)
    move_weights(case)
    return _validated(case)


VALIDATED = ("head.eval()", "with torch.no_grad():", f"    {RUN}")

WAYS = (
    _in_mode(True),
    _in_mode(False),
    Way("in eval mode after its weights moved", _moved_later,
        (*VALIDATED, *MOVED, *VALIDATED), _moved_first, "none"),
)  # fmt: skip


def judge(evidence: Evidence, claim: str) -> Result:
    """Change the head's mode and change it back."""
    return judge_ways(evidence, claim, WAYS)


ROW = Row(judge, needs=(IS_MODULE, NOT_COMPILED))
