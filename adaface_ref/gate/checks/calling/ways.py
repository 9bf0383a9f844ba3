"""Runs a head in other ways than the plain one, and tells where its results differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import calling, seeded
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import TrainingCall, training_call
from adaface_ref.gate.session.fresh_head import FreshHead, fresh_head_of
from adaface_ref.gate.session.scripts import making_lines, training_script
from adaface_ref.gate.session.session import Session
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import allowed_between_runs

SIZE = 12
"""Rows of a batch."""

RUN = "value = run()"
"""The plain way, as a line of a script."""


def run_plainly(case: TrainingCall) -> torch.Tensor:
    """What the head gives in the plain way, from its first state.

    Args:
        case: the head and what it is given.

    Returns:
        Its loss, else its logits.

    Raises:
        SubjectError: the head raised.
    """
    return run_with(case)


def run_with(case: TrainingCall, **other: torch.Tensor) -> torch.Tensor:
    """The same with other tensors in place of some.

    Args:
        case: the head and what it is given.
        other: tensors by meaning.
    """
    case.fresh.restore()
    return run_as_it_is(case, **other)


def run_as_it_is(
    case: TrainingCall, head: Any = None, **other: torch.Tensor
) -> torch.Tensor:
    """The same from the state that the head is in.

    Tensors are handed over as copies, which a head may write into; those in `other` are
    handed over as they lie.

    Args:
        case: the head and what it is given.
        head: another one in its place.
        other: tensors by meaning.
    """
    kept = {name: t * 1 for name, t in case.given.items() if name not in other}
    labels = other.get("labels", case.given["labels"]).clone()
    with seeded(0):
        return case.run(head, **{**kept, **other, "labels": labels})


class Way(NamedTuple):
    """A way of calling that must change nothing.

    Args:
        words: what is done, after "differs".
        run: what comes of it.
        lines: the same as lines of a script, which set `value`; `run()` calls the head,
            `{leaf}` stands for the name of its cosines or embeddings, `{making}` for
            the lines that make it.
        plain: what it is compared with.
        gradients: by what they are compared beside the value.
    """

    words: str
    run: Callable[[TrainingCall], torch.Tensor]
    lines: tuple[str, ...]
    plain: Callable[[TrainingCall], torch.Tensor] = run_plainly
    gradients: Literal["none", "inputs", "weights", "all"] = "all"


def judge_ways(
    evidence: Evidence, claim: str, ways: Sequence[Way], *, both_modes: bool = True
) -> Result:
    """Compare each way with the plain one, in the modes in which a head is read.

    Args:
        evidence: the head.
        claim: the check's sentence.
        ways: what is tried; a way that the head refuses by an exception is left out.
        both_modes: whether heads that have two modes are called in both, or only as
            they are trained.

    Returns:
        The result, with a finding for each way that differs.
    """
    session = evidence.session
    modes = [
        mode for mode in _modes(fresh_head_of(session)) if _is_still(session, mode)
    ]
    if not modes:
        return Result(SKIPPED, "skipped: the head does not give the same twice")
    modes = modes if both_modes else modes[-1:]
    findings: list[Finding] = []
    same: list[str] = []
    refused: list[str] = []
    for way in ways:
        found: list[Finding] = []
        ran = False
        for mode in modes:
            try:
                found += _judge_way(session, claim, way, mode)
            except SubjectError:
                continue  # what another mode has shown still counts
            ran = True
        findings += found[:1]
        if not found:
            (same if ran else refused).append(way.words)
    left = f"; refused: {', '.join(refused)}" * bool(refused)
    if findings:
        told = [f.claim.rpartition("[")[2][:-1] for f in findings]
        detail = f"differs {', '.join(told)}"
        return Result(FAILED, detail, SIZE, findings=tuple(findings))
    if not same:
        return Result(SKIPPED, f"skipped: refused {', '.join(refused)}")
    return Result(OK, f"the same {', '.join(same)}{left}", SIZE * len(same))


def _modes(fresh: FreshHead) -> tuple[str, ...]:
    """Lines that set the modes of a head with buffers; others keep the one they have.

    A head with running statistics is read in eval mode, and trained in the other.
    """
    return ("head.eval()", "head.train()") if fresh.settles else ("",)


def _case(session: Session, mode: str) -> TrainingCall:
    case = training_call(fresh_head_of(session), SIZE)
    if mode:
        set_mode(case, mode == "head.train()")
    case.fresh.restore()  # notes the first state, which later calls go back to
    return case


def _is_still(session: Session, mode: str) -> bool:
    """Whether the head gives the same twice from one state."""
    case = _case(session, mode)
    first = run_plainly(case)
    return _difference(case.fresh, run_plainly(case), first) is None


def _judge_way(session: Session, claim: str, way: Way, mode: str) -> list[Finding]:
    """What differs: the value, else gradients."""
    case = _case(session, mode)
    first = way.plain(case)
    want = {"": first.detach().clone(), **_gradients(case, way, first)}
    case = _case(session, mode)
    value = way.run(case)
    found = _difference(case.fresh, value, want[""])
    if found is not None:
        return [_finding(case, claim, way, mode, "", found)]
    return [
        _finding(case, claim, way, mode, source, found)
        for source, gradient in _gradients(case, way, value).items()
        if (found := _difference(case.fresh, gradient, want[source])) is not None
    ]


def _sources(case: TrainingCall, way: Way) -> dict[str, torch.Tensor]:
    """By what gradients are compared, with the source text that gives it."""
    if way.gradients == "none":
        return {}
    sources = {"leaf": leaf_of(case)[1]} if way.gradients != "weights" else {}
    head = case.fresh.opened.head
    if way.gradients != "inputs" and isinstance(head, torch.nn.Module):
        for name, weight in head.named_parameters():
            sources[f"head.get_parameter({name!r})"] = weight
    return sources


def _gradients(
    case: TrainingCall, way: Way, value: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The gradients of a sum of the values that weighs each otherwise; 0 where none."""
    sources = _sources(case, way)
    found: dict[str, torch.Tensor | None] = {}
    wanted = {name: source for name, source in sources.items() if source.requires_grad}
    if wanted and value.requires_grad:
        with calling("running the backward"):
            parts = torch.autograd.grad(
                value, list(wanted.values()), _upstream(value),
                retain_graph=True, allow_unused=True,
            )  # fmt: skip
        found = dict(zip(wanted, parts, strict=True))
    return {
        name: torch.zeros_like(source)
        if (part := found.get(name)) is None
        else part.clone()
        for name, source in sources.items()
    }


def _upstream(value: torch.Tensor) -> torch.Tensor:
    """Upstream gradients from 1 to 2, by the place."""
    steps = torch.arange(value.numel(), device=value.device) % 7
    return (1 + steps.to(value.dtype) / 8).reshape(value.shape)


UPSTREAM = "(1 + torch.arange(value.numel()) % 7 / 8).to(value).reshape(value.shape)"
"""The same as source text."""


class Difference(NamedTuple):
    """Where two results differ most, past rounding: the place in the flat result."""

    place: int
    got: float
    want: float
    allowed: float


def _difference(
    fresh: FreshHead, got: torch.Tensor, want: torch.Tensor
) -> Difference | None:
    if got.shape != want.shape:
        return Difference(0, float(got.numel()), float(want.numel()), 0.0)
    first, second = (
        part.detach().to("cpu", torch.float64).numpy().reshape(-1)
        for part in (got, want)
    )
    allowed = allowed_between_runs(fresh.dtype, fresh.session.fixed["scale"], second)
    with np.errstate(invalid="ignore"):
        same = (first == second) | (np.isnan(first) & np.isnan(second))
        share = np.where(same, 0.0, np.abs(first - second) / allowed)
    share = np.nan_to_num(share, nan=np.inf)
    if not share.size or share.max() <= 1:
        return None
    place = int(share.argmax())
    values = (float(part[place]) for part in (first, second, allowed))
    return Difference(place, *values)


def _finding(
    case: TrainingCall, claim: str, way: Way, mode: str, source: str, found: Difference
) -> Finding:
    """A finding of the value, or of the gradient by a source."""
    fresh = case.fresh
    inputs = {"rows": SIZE, "classes": fresh.classes, "element": found.place}
    given = {name: tensor.detach() for name, tensor in case.given.items()}
    leaf, _ = leaf_of(case)
    printed = f"value.reshape(-1)[{found.place}].item()"
    backward: list[str] = []
    if source:
        backward = ["if value.requires_grad:", f"    value.backward({UPSTREAM})",
                    f"gradient = {source}.grad"]  # fmt: skip
        element = f"gradient.reshape(-1)[{found.place}].item()"
        printed = f"0.0 if gradient is None else {element}"
    set_mode = [mode] * bool(mode)
    making = "\n".join([*making_lines(fresh), *set_mode])
    lines = [
        *set_mode,
        f"leaf = {leaf}.requires_grad_()",
        *(line.format(leaf=leaf, making=making) for line in way.lines),
        *backward,
        f"print({printed})",
    ]
    in_training = "in training mode, " if mode == "head.train()" else ""
    of_gradient = f", gradient by {_name(source, leaf)}" if source else ""
    return wrong_value(
        f"{claim} [{in_training}{way.words}{of_gradient}]",
        {name: float(value) for name, value in inputs.items()} | fresh.session.fixed,
        fresh.dtype,
        found.got,
        found.want,
        found.allowed,
        f"the head takes another path {way.words}",
        training_script(fresh, given, case.source, lines),
    )


def _name(source: str, leaf: str) -> str:
    """What a gradient is by, in words."""
    return leaf if source == "leaf" else source.split("'")[1]


def leaf_of(case: TrainingCall) -> tuple[str, torch.Tensor]:
    """The cosines or the embeddings that a head is given, with their name."""
    name = "embeddings" if "embeddings" in case.given else "cosine"
    return name, case.given[name]


def set_mode(case: TrainingCall, training: bool) -> None:
    """Puts a head in training mode or eval mode, as its user would."""
    head = module_of(case)
    with calling("setting the head's mode"):
        _ = head.train() if training else head.eval()


MOVED = (
    "with torch.no_grad():",
    "    for weight in head.parameters():",
    "        weight.add_(weight.roll(1, 0) / 4)",
)
"""The lines of a script that move a head's weights."""


def move_weights(case: TrainingCall) -> None:
    """Moves a head's weights as a step of an optimiser does, in place."""
    with torch.no_grad():
        for weight in module_of(case).parameters():
            weight.add_(weight.roll(1, 0) / 4)


def module_of(case: TrainingCall) -> torch.nn.Module:
    """The head, where a check needs a module."""
    head = case.fresh.opened.head
    assert isinstance(head, torch.nn.Module)
    return head
