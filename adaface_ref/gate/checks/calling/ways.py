"""Runs a head in other ways than the plain one, and tells where its results differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import seeded
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.as_trained import Direct, direct
from adaface_ref.gate.session.fresh_head import Bench, bench_of
from adaface_ref.gate.session.scripts import direct_script
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import allowed_between_runs

SIZE = 12
"""Rows of a batch."""

RUN = "value = run()"
"""The plain way, as a line of a script."""


def run_plainly(case: Direct) -> torch.Tensor:
    """What the head gives in the plain way, from its first state.

    Args:
        case: the head and what it is given.

    Returns:
        Its loss, else its logits.

    Raises:
        SubjectError: the head raised.
    """
    return run_with(case)


def run_with(case: Direct, **other: torch.Tensor) -> torch.Tensor:
    """The same with other tensors in place of some.

    Args:
        case: the head and what it is given.
        other: tensors by meaning.
    """
    case.bench.restore()
    return run_as_it_is(case, **other)


def run_as_it_is(case: Direct, head: Any = None, **other: torch.Tensor) -> torch.Tensor:
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
        lines: the same as lines of a script, which set `value`; `run()` calls the head.
        plain: what it is compared with.
    """

    words: str
    run: Callable[[Direct], torch.Tensor]
    lines: tuple[str, ...]
    plain: Callable[[Direct], torch.Tensor] = run_plainly


def judge_ways(evidence: Evidence, claim: str, ways: Sequence[Way]) -> Result:
    """Compare each way with the plain one.

    Args:
        evidence: the head.
        claim: the check's sentence.
        ways: what is tried; a way that the head refuses by an exception is left out.

    Returns:
        The result, with a finding for each way that differs.
    """
    bench = bench_of(evidence.session)
    case = direct(bench, SIZE)
    first = run_plainly(case)
    if _difference(bench, run_plainly(case), first) is not None:
        return Result(SKIPPED, "skipped: the head does not give the same twice")
    findings, same, refused = [], [], []
    for way in ways:
        bench = bench_of(evidence.session)
        case = direct(bench, SIZE)
        try:
            want = way.plain(case).detach().clone()
            got = way.run(case)
        except SubjectError:
            refused.append(way.words)
            continue
        found = _difference(bench, got, want)
        if found is None:
            same.append(way.words)
        else:
            findings.append(_finding(case, claim, way, found))
    left = f"; refused: {', '.join(refused)}" * bool(refused)
    if findings:
        told = [f.claim.rpartition("[")[2][:-1] for f in findings]
        detail = f"differs {', '.join(told)}"
        return Result(FAILED, detail, SIZE, findings=tuple(findings))
    if not same:
        return Result(SKIPPED, f"skipped: refused {', '.join(refused)}")
    return Result(OK, f"the same {', '.join(same)}{left}", SIZE * len(same))


class Difference(NamedTuple):
    """Where two results differ most, past rounding: the place in the flat result."""

    place: int
    got: float
    want: float
    allowed: float


def _difference(
    bench: Bench, got: torch.Tensor, want: torch.Tensor
) -> Difference | None:
    if got.shape != want.shape:
        return Difference(0, float(got.numel()), float(want.numel()), 0.0)
    first, second = (
        part.detach().to("cpu", torch.float64).numpy().reshape(-1)
        for part in (got, want)
    )
    allowed = allowed_between_runs(bench.dtype, bench.session.fixed["scale"], second)
    with np.errstate(invalid="ignore"):
        same = (first == second) | (np.isnan(first) & np.isnan(second))
        share = np.where(same, 0.0, np.abs(first - second) / allowed)
    share = np.nan_to_num(share, nan=np.inf)
    if not share.size or share.max() <= 1:
        return None
    place = int(share.argmax())
    values = (float(part[place]) for part in (first, second, allowed))
    return Difference(place, *values)


def _finding(case: Direct, claim: str, way: Way, found: Difference) -> Finding:
    bench = case.bench
    inputs = {"rows": SIZE, "classes": bench.classes, "element": found.place}
    given = {name: tensor.detach() for name, tensor in case.given.items()}
    leaf = "embeddings" if "embeddings" in given else "cosine"
    lines = [
        f"{leaf}.requires_grad_()",
        *way.lines,
        f"print(value.reshape(-1)[{found.place}].item())",
    ]
    return wrong_value(
        f"{claim} [{way.words}]",
        {name: float(value) for name, value in inputs.items()} | bench.session.fixed,
        bench.dtype,
        found.got,
        found.want,
        found.allowed,
        f"the head takes another path {way.words}",
        direct_script(bench, given, case.source, lines),
    )


def leaf_of(case: Direct) -> tuple[str, torch.Tensor]:
    """The cosines or the embeddings that a head is given, with their name."""
    name = "embeddings" if "embeddings" in case.given else "cosine"
    return name, case.given[name]


def module_of(case: Direct) -> torch.nn.Module:
    """The head, where a check needs a module."""
    head = case.bench.opened.head
    assert isinstance(head, torch.nn.Module)
    return head
