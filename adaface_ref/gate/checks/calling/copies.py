"""A copy of the head, or one that its state was loaded into, gives the same.

Why: Moving averages of a model are deep copies, workers get pickles, and training goes
on from a state_dict. A copy that has lost its margin trains or validates with another
loss. A head that cannot be copied says so by an exception, which is fine.

Breaks: __deepcopy__ or __reduce__ that calls the constructor with its defaults, numbers
that belong to the state and are no buffers, weights that are kept in a list.

Mend: Keep settings in the constructor's arguments and state in buffers; write no
__deepcopy__.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import torch

from adaface_ref.gate.checks.calling.ways import (
    MOVED,
    RUN,
    Way,
    judge_ways,
    module_of,
    move_weights,
    run_as_it_is,
)
from adaface_ref.gate.checks.needs import IS_MODULE, NOT_COMPILED
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import TORCH_DTYPES
from adaface_ref.gate.session.as_trained import TrainingCall
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def _as(
    head_of: Callable[[TrainingCall], torch.nn.Module],
) -> Callable[[TrainingCall], torch.Tensor]:
    """What another head gives in place of the one under judgement."""

    def run(case: TrainingCall) -> torch.Tensor:
        move_weights(case)
        with calling("copying the head"):
            head = head_of(case).to(TORCH_DTYPES[case.fresh.dtype])
        head.train(module_of(case).training)
        return run_as_it_is(case, head)

    return run


def _copied(case: TrainingCall) -> torch.nn.Module:
    return copy.deepcopy(module_of(case))


def _pickled(case: TrainingCall) -> torch.nn.Module:
    found = pickle.loads(pickle.dumps(module_of(case)))
    assert isinstance(found, torch.nn.Module)
    return found


def _loaded(case: TrainingCall) -> torch.nn.Module:
    fresh, state = case.fresh, module_of(case).state_dict()
    other = fresh.session.unheld(fresh.classes, fresh.dtype, fresh.device).head
    if not state or not isinstance(other, torch.nn.Module):
        raise SubjectError("the head has no state")
    other.load_state_dict(state)
    return other


def _trained(case: TrainingCall) -> torch.Tensor:
    """What the head gives after its weights were moved."""
    move_weights(case)
    return run_as_it_is(case)


def _way(
    words: str, head_of: Callable[[TrainingCall], torch.nn.Module], *lines: str
) -> Way:
    return Way(words, _as(head_of), (*MOVED, *lines, RUN), _trained, "inputs")


WAYS = (
    _way("by deepcopy", _copied, "import copy", "head = copy.deepcopy(head)"),
    _way("by pickle", _pickled, "import pickle",
         "head = pickle.loads(pickle.dumps(head))"),
    _way("by its state_dict in a fresh head", _loaded, "trained = head",
         "torch.manual_seed(0)", "{making}",
         "head.load_state_dict(trained.state_dict())"),
)  # fmt: skip


def judge(evidence: Evidence, claim: str) -> Result:
    """Run copies of the head."""
    return judge_ways(evidence, claim, WAYS)


ROW = Row(judge, needs=(IS_MODULE, NOT_COMPILED))
