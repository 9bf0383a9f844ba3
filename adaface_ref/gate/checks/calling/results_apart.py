"""Results are one's own: a later call, another head or a second backward changes none.

Why: Gradient accumulation, distillation and two views of one image keep results of
several calls alive, and two heads may live in one process. Where they share memory the
loss of one batch is that of another, with the gradient of a third.

Breaks: logits written into one buffer for all calls, a cache at the level of the module
or class, a backward that uses up what it saved or reads what the last forward left.

Mend: Return new tensors; keep caches in the instance and invalidate them.
"""

from __future__ import annotations

import itertools

import torch
from torch.autograd.graph import saved_tensors_hooks

from adaface_ref.gate.checks.calling.ways import (
    RUN,
    Way,
    judge_ways,
    leaf_of,
    module_of,
    run_as_it_is,
    run_plainly,
)
from adaface_ref.gate.checks.needs import NOT_COMPILED
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import gradient_by
from adaface_ref.gate.session.as_trained import TrainingCall
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def _kept_alive(case: TrainingCall) -> torch.Tensor:
    first = run_plainly(case)
    _run_on_others(case)
    return first


def _beside_another(case: TrainingCall) -> torch.Tensor:
    fresh = case.fresh
    run_plainly(case)
    other = fresh.session.unheld(fresh.classes, fresh.dtype, fresh.device).head
    if isinstance(other, torch.nn.Module):
        other.train(module_of(case).training)
        with torch.no_grad():
            for weight in other.parameters():
                weight.neg_()
    _run_on_others(case, other)
    return run_plainly(case)


def _run_on_others(case: TrainingCall, head: object = None) -> None:
    """A call with the rows in another order, labels as they were."""
    name, leaf = leaf_of(case)
    other = leaf.detach().roll(1, 0).requires_grad_()
    run_as_it_is(case, head, **{name: other * 1})


def _second_backward(case: TrainingCall) -> torch.Tensor:
    _, leaf = leaf_of(case)
    value = run_plainly(case)
    gradient_by(leaf, value)
    return value


def _checkpointed(case: TrainingCall) -> torch.Tensor:
    """What the backward needs is made anew in it, as torch.utils.checkpoint does.

    That function itself takes two seconds to import what it shares with torch.compile.
    """
    made_again: list[torch.Tensor] = []

    def unpack(place: int) -> torch.Tensor:
        if not made_again:
            with torch.enable_grad(), saved_tensors_hooks(made_again.append, _kept):
                run_plainly(case)
        return made_again[place]

    places = itertools.count()
    with saved_tensors_hooks(lambda _: next(places), unpack):
        return run_plainly(case)


def _kept(_: object) -> torch.Tensor:
    raise AssertionError("no backward is run through the second forward")


WAYS = (
    Way("after a later call", _kept_alive,
        (RUN, "{leaf} = {leaf}.detach().roll(1, 0).requires_grad_()", "run()")),
    Way("beside another head", _beside_another,
        ("import copy", "other = copy.deepcopy(head)", "mine, head = head, other",
         "run()", "head = mine", RUN)),
    Way("at a second backward", _second_backward,
        (RUN, "torch.autograd.grad(value.sum(), leaf, retain_graph=True)")),
    Way("under torch.utils.checkpoint", _checkpointed,
        ("from torch.utils.checkpoint import checkpoint",
         "value = checkpoint(lambda _: run(), leaf, use_reentrant=False)")),
)  # fmt: skip


def judge(evidence: Evidence, claim: str) -> Result:
    """Keep several results alive."""
    return judge_ways(evidence, claim, WAYS)


ROW = Row(judge, needs=(NOT_COMPILED,))
