"""The loss is the mean, the sum or one value for each row of -ln P.

Why: The reduction sets the learning rate that a batch sees. It is found from what the
loss is for one row and for two, then compared with the reference.

Breaks: A mean over (B, C), which divides by the classes, or a division by the batch on
top of a mean.

Mend: Use cross_entropy's own reduction.
"""

from __future__ import annotations

from dataclasses import replace

from adaface_ref.evidence.truth.agreement import Question
from adaface_ref.gate.checks.needs import HAS_LOSS
from adaface_ref.gate.checks.training.regularisers import regularisers
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.loss_shape import shape_of_loss
from adaface_ref.gate.reading.reduction import MEAN, NONE, SUM
from adaface_ref.gate.session.fresh_head import fresh_head_of, inputs_of, ordinary
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, WARNING
from adaface_ref.report.result import Result

SIZE = 12

UNKNOWN = "the loss is not softmax cross-entropy of the head's own logits"


def judge(evidence: Evidence, claim: str) -> Result:
    """The head's own loss against the mean and the sum of -ln P."""
    session = evidence.session
    fresh = fresh_head_of(session)
    rows = ordinary(fresh, SIZE)
    evaluate, batch = session.batch(rows)  # statistics are held there
    evaluation = evaluate(batch)
    assert evaluation.loss is not None
    factor = SIZE if evaluation.reduction == SUM else 1
    got = float(evaluation.loss.detach()) * factor
    told, wanted = evaluation.reduction, []
    for weight in regularisers(fresh, SIZE):
        columns = rows.columns | weight
        each = session.predict("loss_value", columns)
        want = float(each.sum() if told == SUM else each.mean())
        ask = Question(
            "loss_value", session.loss, session.profile, fresh.dtype, "theirs"
        )
        allowed = _reduced(ask.allowed(columns, each), told)
        in_single = replace(ask, dtype="float32").allowed(columns, each)
        if allowed < abs(got - want) <= _reduced(in_single, told):
            return Result(WARNING, "right to single precision only", SIZE)
        if abs(got - want) <= allowed:
            detail = f"the loss is {told}{' of the batch' * (told != NONE)}"
            if session.definition.norm_regulariser != 0:
                with_it = weight["regulariser_weight"].any()
                detail += ", with its regulariser" if with_it else ", no regulariser"
            return Result(OK, detail, SIZE)
        wanted.append((abs(got - want), want, allowed))
    _, want, allowed = min(wanted, key=lambda item: (not item[0] >= 0, item[0]))
    ratio = got / want if want else float("nan")
    words = f"the loss is {ratio:.6g} times {MEAN if told != SUM else SUM}"
    mean = "print(loss.sum().item())" if told == SUM else "print(loss.mean().item())"
    finding = wrong_value(
        claim,
        inputs_of(rows, 0, rows=SIZE, classes=fresh.classes),
        fresh.dtype,
        got,
        want,
        allowed,
        _why(ratio, fresh.classes) or shape_of_loss(session) or UNKNOWN,
        script(
            fresh,
            rows,
            [f"_, loss = run(rows, labels{extra(rows)})", mean],
            prepare=session.held_lines(rows),
        ),
    )
    return Result(FAILED, words, SIZE, findings=(finding,))


def _reduced(each: Array, told: str) -> float:
    """What a sum or a mean of rows may be off."""
    return float(each.sum() if told == SUM else each.mean())


def _why(ratio: float, classes: int) -> str:
    """The likely cause of a loss that is off by a factor, or ""."""
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
    return ""


ROW = Row(
    judge,
    needs=(HAS_LOSS,),
    severity={"error": "", "warning": "where float32 in a float64 call explains it"},
)
