"""What training relies on: normalised weights, the reduction, the norm's gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from adaface_ref import numpy_reference as reference
from adaface_ref.evidence.truth.agreement import Question
from adaface_ref.gate.head.door import EMBEDDING_SIZE
from adaface_ref.gate.measured.evidence import Evidence, Result
from adaface_ref.gate.reading.reading import Array, Batch
from adaface_ref.gate.reading.reduction import MEAN, NONE, SUM
from adaface_ref.gate.session.as_trained import Direct, direct
from adaface_ref.gate.session.fresh_head import Bench, bench_of, inputs_of, ordinary
from adaface_ref.gate.session.scripts import direct_script, extra, script
from adaface_ref.gate.session.session import Rows
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.tolerance import allowed_between_runs

SIZE = 12

LONGER = 3
"""By so much the weight of one class is lengthened."""

TWICE = 2
"""By so much the embeddings are."""

CLASS = 1
"""Whose weight."""

USES_NORM = ("adaface", "magface")
"""Losses in which an embedding's length has a meaning."""


def weights_normalised(evidence: Evidence, claim: str) -> Result:
    """Longer weights, and longer embeddings, change nothing."""
    session = evidence.session
    if not session.door.owns_cosines:
        return Result(SKIPPED, "skipped: the head is given cosines, it has no weights")
    bench = bench_of(session)
    case = direct(bench, SIZE)
    bench.restore()
    before = case.run().detach()
    weights = _weights(bench)
    if weights is None:
        return Result(SKIPPED, "skipped: no parameter has a row for each class")
    name, axis = weights
    weight = bench.opened.head.get_parameter(name)  # type: ignore[attr-defined]
    bench.restore()
    with torch.no_grad():
        weight.select(axis, CLASS).mul_(LONGER)
    after = case.run().detach()
    bench.restore()
    pick = f"{CLASS}" if axis == 0 else f":, {CLASS}"
    text = f"with torch.no_grad():\n    head.{name}[{pick}] *= {LONGER}"
    finding = _changed(claim, case, before, after, text, f"a class's weight {LONGER}")
    if finding is not None:
        detail = "the length of a class's weight counts"
        return Result(FAILED, detail, SIZE, findings=(finding,))
    if session.loss in USES_NORM or case.call.has("norms"):
        return Result(OK, f"{name}: a class's length does not count", SIZE)
    after = case.run(embeddings=case.given["embeddings"] * TWICE).detach()
    text = f"embeddings = embeddings * {TWICE}"
    finding = _changed(claim, case, before, after, text, f"embeddings {TWICE}")
    if finding is not None:
        detail = "the embeddings' length counts"
        return Result(FAILED, detail, SIZE, findings=(finding,))
    return Result(OK, f"lengths of {name} and of embeddings do not count", 2 * SIZE)


def _weights(bench: Bench) -> tuple[str, int] | None:
    """The head's class weights: their name, and the axis of the classes."""
    head = bench.opened.head
    assert isinstance(head, torch.nn.Module)
    shape = (bench.classes, EMBEDDING_SIZE)
    for name, parameter in head.named_parameters():
        if tuple(parameter.shape) in (shape, shape[::-1]):
            return name, int(tuple(parameter.shape) != shape)
    return None


def _changed(
    claim: str,
    case: Direct,
    before: torch.Tensor,
    after: torch.Tensor,
    line: str,
    what: str,
) -> Finding | None:
    """A finding where the head's answers differ, or None."""
    bench = case.bench
    got, want = (t.double().cpu().numpy().reshape(-1) for t in (after, before))
    allowed = allowed_between_runs(bench.dtype, bench.session.fixed["scale"], want)
    off = ~(np.abs(got - want) <= allowed) & (got != want)
    if not off.any():
        return None
    index = int(np.argmax(np.where(off, np.abs(got - want), -1)))
    shown = f"print(run().double().reshape(-1)[{index}].item())"
    given = {name: tensor.detach() for name, tensor in case.given.items()}
    return Finding(
        f"{claim} [{what.split(' ')[0]} length]",
        {
            "rows": float(SIZE),
            "element": float(index),
            "factor": float(what.split()[-1]),
        },
        bench.dtype,
        float(got[index]),
        float(want[index]),
        float(abs(got[index] - want[index])),
        float(allowed[index]),
        "torch.nn.functional.normalize is missing, or takes the wrong dim",
        direct_script(bench, given, case.source, [line, shown]),
    )


def reduction(evidence: Evidence, claim: str) -> Result:
    """The head's own loss against the mean and the sum of -ln P."""
    evidence.settle()
    session = evidence.session
    bench = bench_of(session)
    rows = ordinary(bench, SIZE)
    bench.restore()
    evaluation = bench.opened.evaluate(bench.batch(rows))
    if evaluation.loss is None:
        return Result(SKIPPED, "skipped: the head gives logits, and no loss")
    factor = SIZE if evaluation.reduction == SUM else 1
    got = float(evaluation.loss.detach()) * factor
    told, wanted = evaluation.reduction, []
    for weight in _regularisers(bench):
        columns = rows.columns | weight
        each = session.predict("loss_value", columns)
        want = float(each.sum() if told == SUM else each.mean())
        ask = Question(
            "loss_value", session.loss, session.profile, bench.dtype, "theirs"
        )
        slack = ask.allowed(columns, each)
        allowed = float(slack.sum() if told == SUM else slack.mean())
        if abs(got - want) <= allowed:
            detail = f"the loss is {told}{' of the batch' * (told != NONE)}"
            if session.loss == "magface":
                with_it = weight["regulariser_weight"].any()
                detail += ", with its regulariser" if with_it else ", no regulariser"
            return Result(OK, detail, SIZE)
        wanted.append((abs(got - want), want, allowed))
    _, want, allowed = min(wanted, key=lambda item: (not item[0] >= 0, item[0]))
    ratio = got / want if want else float("nan")
    words = f"the loss is {ratio:.6g} times {MEAN if told != SUM else SUM}"
    mean = "print(loss.sum().item())" if told == SUM else "print(loss.mean().item())"
    finding = Finding(
        claim,
        inputs_of(rows, 0, rows=SIZE, classes=bench.classes),
        bench.dtype,
        got,
        want,
        abs(got - want),
        allowed,
        _why(ratio, bench.classes),
        script(bench, rows, [f"_, loss = run(rows, labels{extra(rows)})", mean]),
    )
    return Result(FAILED, words, SIZE, findings=(finding,))


def _why(ratio: float, classes: int) -> str:
    """The likely cause of a loss that is off by a factor."""
    known = {
        1 / SIZE: "divided by the batch twice: a mean of what is a mean already",
        1 / classes: "divided by the number of classes: a mean over the logits' shape",
        1 / (SIZE * classes): "divided by every element: a mean over (B, C)",
        float(SIZE**2): "multiplied by the batch",
        float(classes): "multiplied by the number of classes",
    }
    for factor, words in known.items():
        if abs(ratio / factor - 1) < 1e-3:
            return words
    return "the loss is not softmax cross-entropy of the head's own logits"


def _regularisers(bench: Bench) -> list[dict[str, Array]]:
    """MagFace's loss may hold its regulariser or leave it to the caller."""
    if bench.session.loss != "magface":
        return [{}]
    weight = bench.session.fixed["regulariser_weight"]
    return [{"regulariser_weight": np.full(SIZE, w)} for w in (0.0, weight)]


def norm_held_constant(evidence: Evidence, claim: str) -> Result:
    """The gradient by the norms: none for AdaFace, the reference's for MagFace."""
    evidence.settle()
    session = evidence.session
    if session.loss not in USES_NORM:
        return Result(SKIPPED, "skipped: the loss does not use the norm")
    if "norms" not in session.door.takes:
        return Result(SKIPPED, "skipped: the head is given no norms")
    bench = bench_of(session)
    rows = ordinary(bench, SIZE)
    got, own = _norm_gradient(bench, rows)
    best: tuple[Array, Array] | None = None
    for weight in _regularisers(bench) if own else _regularisers(bench)[:1]:
        want, allowed = _expected(bench, replace(rows, columns=rows.columns | weight))
        if best is None or _excess(got, want, allowed) < _excess(got, *best):
            best = want, allowed
    assert best is not None
    want, allowed = best
    if _excess(got, want, allowed) <= 1:
        words = "the reference's" if session.loss == "magface" else "0"
        return Result(OK, f"dL/d norm is {words} at {SIZE} rows", SIZE)
    with np.errstate(all="ignore"):
        away = np.nan_to_num(np.abs(got - want) - allowed, nan=np.inf)
    row = int(away.argmax())
    values = float(got[row]), float(want[row])
    finding = Finding(
        claim,
        inputs_of(rows, row, rows=SIZE),
        bench.dtype,
        *values,
        abs(values[0] - values[1]),
        float(allowed[row]),
        "the norm's path: " + _norm_cause(session.loss, got),
        script(bench, rows, _norm_lines(bench, rows, row)),
    )
    return Result(FAILED, "the gradient by the norm is off", SIZE, findings=(finding,))


def _norm_cause(loss: str, got: Array) -> str:
    if loss == "adaface":
        return "norms must be detached before the margin scaler is made of them"
    if not got.any():
        return "the norm or the margin is detached, so that no gradient comes back"
    return "the margin's slope in the norm, or the regulariser, has a wrong factor"


def _norm_gradient(bench: Bench, rows: Rows) -> tuple[Array, bool]:
    """dL/d norm of the loss summed over rows, and whether the loss is the head's."""
    bench.restore()
    batch = bench.batch(rows)
    norms = batch.rows["norms"].requires_grad_()
    evaluation = bench.opened.evaluate(
        Batch(batch.cosine * 1, batch.labels, batch.rows)
    )
    if evaluation.loss is None:
        loss = torch.nn.functional.cross_entropy(
            evaluation.shown, batch.labels, reduction="sum"
        )
    else:
        loss = evaluation.loss * SIZE
    if not loss.requires_grad:
        return np.zeros(SIZE), evaluation.loss is not None
    (gradient,) = torch.autograd.grad(loss, norms, allow_unused=True)
    if gradient is None:
        gradient = torch.zeros_like(norms)
    return gradient.double().cpu().numpy(), evaluation.loss is not None


def _expected(bench: Bench, rows: Rows) -> tuple[Array, Array]:
    """What the gradient by the norms must be, and what it may be off."""
    session = bench.session
    if session.loss == "adaface":
        return np.zeros(SIZE), np.zeros(SIZE)
    want = reference.norm_gradient("magface", profile=session.profile, **{
        name: rows.columns[name]
        for name in ("target_cosine", "rival_cosine", *reference.PARAMETERS["magface"])
    })  # fmt: skip
    return want, allowed_between_runs(bench.dtype, session.fixed["scale"], want)


def _excess(got: Array, want: Array, allowed: Array) -> float:
    """The largest error as a share of the allowed one; inf for NaN."""
    with np.errstate(all="ignore"):
        share = np.where(got == want, 0.0, np.abs(got - want) / allowed)
    return float(np.nan_to_num(share, nan=np.inf).max())


def _norm_lines(bench: Bench, rows: Rows, row: int) -> list[str]:
    """The lines that print the gradient by a norm."""
    evaluation = bench.opened.evaluate(bench.batch(rows))
    total = "torch.nn.functional.cross_entropy(logits, labels, reduction='sum')"
    if evaluation.loss is not None:
        mean = evaluation.reduction == MEAN
        total = f"loss.mean() * {SIZE}" if mean else "loss.sum()"
    return [
        "rows.requires_grad_(), norms.requires_grad_()",
        f"logits, loss = run(rows, labels{extra(rows)})",
        f"(gradient,) = torch.autograd.grad({total}, norms, allow_unused=True)",
        f"print(0.0 if gradient is None else gradient[{row}].item())",
    ]
