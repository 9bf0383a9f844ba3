"""Whether a head is the same on CUDA, compiled, and under autocast."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable

import numpy as np
import torch

from adaface_ref.gate.guarding.errors import SubjectError, subject_error
from adaface_ref.gate.measured.evidence import Evidence, Result
from adaface_ref.gate.reading.reading import Array
from adaface_ref.gate.session.as_trained import Direct, direct
from adaface_ref.gate.session.fresh_head import Bench, bench_of, inputs_of, ordinary
from adaface_ref.gate.session.scripts import direct_script, ending, script
from adaface_ref.gate.session.session import EFFORTS
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.tolerance import EPSILON, allowed_between_runs

SIZE = 12

COMPILERS = ("c++", "g++", "clang++", "clang", "gcc", "cl")
"""Compilers that torch.compile can use for a CPU."""

Answer = tuple[torch.Tensor, torch.Tensor]


def cpu_against_cuda(evidence: Evidence, claim: str) -> Result:
    """The same rows on both devices."""
    if not torch.cuda.is_available():
        return Result(SKIPPED, "skipped: this machine has no CUDA device")
    session = evidence.session
    here, there = (bench_of(session, device=device) for device in ("cpu", "cuda"))
    rows = ordinary(here, SIZE)
    found = there.difference(there.read(rows), here.read(rows))
    if found is None:
        return Result(OK, f"{SIZE} rows are the same on both", SIZE)
    lines = [ending(here, rows, found.name, found.row, found.place)]
    moves = (
        "head = head.cuda() if isinstance(head, torch.nn.Module) else head",
        "torch.set_default_device('cuda')",
    )
    source = script(here, rows, lines, prepare=moves)
    finding = Finding(
        f"{claim} [{found.name}]",
        inputs_of(rows, found.row, rows=SIZE, place=found.place),
        here.dtype,
        found.got,
        found.want,
        abs(found.got - found.want),
        found.allowed,
        "a kernel of lower precision (TF32), or memory that is read before it is set",
        source,
    )
    return Result(FAILED, "CUDA gives other values", SIZE, findings=(finding,))


def compiled(evidence: Evidence, claim: str) -> Result:
    """torch.compile(head) against the head."""
    session = evidence.session
    if session.points < EFFORTS["thorough"]:
        return Result(SKIPPED, "skipped: runs at effort thorough")
    if session.device == "cpu" and not any(map(shutil.which, COMPILERS)):
        return Result(SKIPPED, "skipped: torch.compile finds no C++ compiler here")
    bench = bench_of(session)
    case = direct(bench, SIZE)
    bench.restore()
    plain = _answer(case, lambda: case.run())
    bench.restore()
    try:
        head = torch.compile(bench.opened.head)  # type: ignore[call-overload]
        got = _answer(case, lambda: case.run(head))
    except SubjectError:
        raise
    except Exception as error:
        raise subject_error("compiling the head", error) from error
    finally:
        torch._dynamo.reset()
    return _compared(case, claim, got, plain)


def _answer(case: Direct, run: Callable[[], torch.Tensor]) -> Answer:
    """What the head gives, and the gradient of its sum by the cosines or embeddings."""
    value = run()
    leaf = case.given.get("embeddings", case.given.get("cosine"))
    assert leaf is not None
    if not value.requires_grad:
        return value.detach(), torch.zeros_like(leaf)
    (gradient,) = torch.autograd.grad(value.sum(), leaf, allow_unused=True)
    if gradient is None:
        gradient = torch.zeros_like(leaf)
    return value.detach(), gradient


def _compared(case: Direct, claim: str, got: Answer, want: Answer) -> Result:
    bench = case.bench
    for name, first, second in zip(("value", "gradient"), got, want, strict=True):
        mine, theirs = (t.double().cpu().numpy().reshape(-1) for t in (first, second))
        allowed = allowed_between_runs(
            bench.dtype, bench.session.fixed["scale"], theirs
        )
        with np.errstate(invalid="ignore"):
            off = ~(np.abs(mine - theirs) <= allowed) & (mine != theirs)
        off &= ~(np.isnan(mine) & np.isnan(theirs))
        if off.any():
            index = int(off.argmax())
            finding = _differs(case, claim, name, index, mine, theirs, allowed)
            detail = f"the compiled head's {name} is another"
            return Result(FAILED, detail, SIZE, findings=(finding,))
    return Result(OK, f"{SIZE} rows, the same compiled", SIZE)


def _differs(
    case: Direct,
    claim: str,
    name: str,
    index: int,
    got: Array,
    want: Array,
    allowed: Array,
) -> Finding:
    line = f"print(run().double().reshape(-1)[{index}].item())"
    leaf = "embeddings" if "embeddings" in case.given else "cosine"
    lines = [line]
    if name == "gradient":
        lines = [
            f"{leaf}.requires_grad_()",
            f"(gradient,) = torch.autograd.grad(run().sum(), {leaf})",
            f"print(gradient.double().reshape(-1)[{index}].item())",
        ]
    return Finding(
        f"{claim} [{name}]",
        {"rows": float(SIZE), "element": float(index)},
        case.bench.dtype,
        float(got[index]),
        float(want[index]),
        float(abs(got[index] - want[index])),
        float(allowed[index]),
        "the compiler specialised on something that changes, such as a Python number "
        "that forward sets, or the head asks whether it is being compiled",
        direct_script(
            case.bench,
            _plain(case),
            case.source,
            lines,
            ("head = torch.compile(head)",),
        ),
    )


def autocast(evidence: Evidence, claim: str) -> Result:
    """The head in float32 under autocast to bfloat16."""
    session = evidence.session
    if session.points < EFFORTS["thorough"]:
        return Result(SKIPPED, "skipped: runs at effort thorough")
    bench = Bench(session, 5, "float32", session.device)
    case = direct(bench, SIZE)
    kind = torch.device(session.device).type
    bench.restore()
    with torch.autocast(kind, torch.bfloat16):
        value, gradient = _answer(case, lambda: case.run())
    eps = torch.finfo(value.dtype).eps if value.is_floating_point() else math.inf
    head = f"with torch.autocast({kind!r}, torch.bfloat16):\n    result = run()\n"
    leaf = "embeddings" if "embeddings" in case.given else "cosine"
    if eps > EPSILON["bfloat16"]:
        lines = [head + "print(torch.finfo(result.dtype).eps)"]
        words = f"an answer in {value.dtype}".replace("torch.", "")
        return _not_kept(case, claim, words, eps, EPSILON["bfloat16"], lines)
    for name, tensor in (("value", value), ("gradient", gradient)):
        numbers = tensor.double().cpu().numpy().reshape(-1)
        if np.isfinite(numbers).all():
            continue
        index = int((~np.isfinite(numbers)).argmax())
        at = f"reshape(-1)[{index}].item())"
        lines = [head + f"print(result.{at}"]
        if name == "gradient":
            call = f"(gradient,) = torch.autograd.grad(result.sum(), {leaf})"
            lines = [f"{leaf}.requires_grad_()", head + call, f"print(gradient.{at}"]
        got = float(numbers[index])
        return _not_kept(case, claim, f"the {name}", got, "a finite value", lines)
    kept = str(value.dtype).removeprefix("torch.")
    return Result(OK, f"finite at {SIZE} rows, and given in {kept}", SIZE)


def _not_kept(
    case: Direct,
    claim: str,
    words: str,
    got: float,
    want: float | str,
    lines: list[str],
) -> Result:
    """A violation under autocast."""
    finding = Finding(
        f"{claim} [{words}]",
        {"rows": float(SIZE)},
        "float32",
        got,
        want,
        math.inf if isinstance(want, str) else got - want,
        math.nan if isinstance(want, str) else 0.0,
        "an operation outside autocast's list meets half precision: turn autocast off "
        "around the margin and cast to float32 there",
        direct_script(case.bench, _plain(case), case.source, lines),
    )
    detail = f"under autocast: {words} is not as it must be"
    return Result(FAILED, detail, SIZE, findings=(finding,))


def _plain(case: Direct) -> dict[str, torch.Tensor]:
    """The tensors that a script must make."""
    return {name: tensor.detach() for name, tensor in case.given.items()}
